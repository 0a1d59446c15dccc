import LinearAlgebra
import Testing

@Suite struct QRTests {
  @Test(arguments: shapes) func reconstructsWithOrthonormalColumns(rows: Int, columns: Int) throws {
    let matrix = sample(rows, columns, seed: 1, as: Double.self)
    let factors = try matrix.withView { try thinQR($0) }
    #expect(orthogonalityError(factors.q) < 1e-13)
    #expect(distance(naiveProduct(factors.q, factors.r), matrix) < 1e-13)
    for row in 0..<factors.r.rows { for column in 0..<row { #expect(factors.r[row, column] == 0) } }
    #expect(try matrix.withView { try triangularFactor($0) } == factors.r)
  }

  @Test func worksInSinglePrecisionOnAStridedView() throws {
    let wide = sample(30, 12, seed: 2, as: Float.self)
    let part = wide.withView { Matrix($0.columns(3..<8)) }
    let factors = try wide.withView { try thinQR($0.columns(3..<8)) }
    #expect(orthogonalityError(factors.q) < 1e-5)
    #expect(distance(naiveProduct(factors.q, factors.r), part) < 1e-5)
  }

  @Test func rankDeficientMatricesKeepOrthonormalColumns() throws {
    let matrix = sample(12, 8, ofRank: 3, seed: 3)
    let factors = try matrix.withView { try thinQR($0) }
    #expect(orthogonalityError(factors.q) < 1e-13)
    #expect(distance(naiveProduct(factors.q, factors.r), matrix) < 1e-13)
  }
}

@Suite struct SVDTests {
  @Test(arguments: shapes) func reconstructsInDescendingOrder(rows: Int, columns: Int) throws {
    let matrix = sample(rows, columns, seed: 4, as: Double.self)
    let factors = try matrix.withView { try singularValueDecomposition($0) }
    #expect(orthogonalityError(factors.u) < 1e-13)
    #expect(orthogonalityError(factors.vTransposed.transposed) < 1e-13)
    let scaled = naiveProduct(factors.u, diagonal(factors.values))
    #expect(distance(naiveProduct(scaled, factors.vTransposed), matrix) < 1e-13)
    #expect(factors.values == factors.values.sorted(by: >) && factors.values.allSatisfy { $0 >= 0 })
    let values = try matrix.withView { try singularValues($0) }
    #expect(zip(values, factors.values).allSatisfy { abs($0 - $1) < 1e-13 })
  }

  @Test func valuesAgreeWithKnownOnes() throws {
    // [[3, 0], [4, 5]] has singular values √45 and √5.
    let matrix = Matrix<Double>(rows: 2, columns: 2, elements: [3, 0, 4, 5])
    let values = try matrix.withView { try singularValues($0) }
    #expect(abs(values[0] - 45.0.squareRoot()) < 1e-14 && abs(values[1] - 5.0.squareRoot()) < 1e-14)
  }

  @Test func rankIsSeenInTheValues() throws {
    let values = try sample(20, 11, ofRank: 4, seed: 5).withView { try singularValues($0) }
    #expect(values[3] > 1e-3 && values[4] < 1e-12)
  }

  @Test func worksInSinglePrecisionOnAStridedView() throws {
    let wide = sample(9, 30, seed: 6, as: Float.self)
    let part = wide.withView { Matrix($0.columns(4..<20)) }
    let factors = try wide.withView { try singularValueDecomposition($0.columns(4..<20)) }
    let scaled = naiveProduct(factors.u, diagonal(factors.values))
    #expect(distance(naiveProduct(scaled, factors.vTransposed), part) < 1e-5)
  }

  /// What takes over where divide and conquer does not converge, called as the fallback calls it.
  @Test(arguments: shapes) func theFallbackFindsTheSameValues(rows: Int, columns: Int) throws {
    let matrix = sample(rows, columns, seed: 9, as: Double.self)
    let size = min(rows, columns)
    var (copy, values) = (matrix, [Double](repeating: 0, count: size))
    var (u, vTransposed) = (
      Matrix<Double>(rows: rows, columns: size), Matrix<Double>(rows: size, columns: columns)
    )
    let info = copy.withMutableView { copy in
      u.withMutableView { u in vTransposed.withMutableView { Double.gesvd(copy, &values, u, $0) } }
    }
    #expect(info == 0)
    #expect(distance(naiveProduct(naiveProduct(u, diagonal(values)), vTransposed), matrix) < 1e-13)
    let expected = try matrix.withView { try singularValues($0) }
    #expect(zip(values, expected).allSatisfy { abs($0 - $1) < 1e-13 })
  }

  @Test func nothingHasNoValues() throws {
    #expect(try Matrix<Double>(rows: 0, columns: 4).withView { try singularValues($0) } == [])
  }
}

@Suite struct SymmetricEigenTests {
  @Test(arguments: [1, 2, 9, 33]) func reconstructs(size: Int) throws {
    let matrix = sample(size, size, seed: 7, as: Double.self).withView { gramMatrix($0) }
    let factors = try matrix.withView { try symmetricEigen($0) }
    #expect(orthogonalityError(factors.vectors) < 1e-13)
    #expect(factors.values == factors.values.sorted())
    let scaled = naiveProduct(factors.vectors, diagonal(factors.values))
    #expect(distance(naiveProduct(scaled, factors.vectors.transposed), matrix) < 1e-12)
  }
}

@Suite struct FailureTests {
  @Test func notANumberIsAnErrorThatNamesTheRoutine() throws {
    var matrix = sample(4, 4, seed: 8, as: Double.self)
    matrix[2, 1] = .nan
    let bad = matrix
    #expect(throws: LinearAlgebraError(routine: "dgesdd", info: -5)) {
      try bad.withView { try singularValues($0) }
    }
    let single = Matrix<Float>(rows: 2, columns: 1, elements: [.nan, 1])
    #expect(throws: LinearAlgebraError(routine: "sgeqrf", info: -4)) {
      try single.withView { try thinQR($0) }
    }
  }

  @Test func theDescriptionTellsInputFromFailure() {
    #expect(
      "\(LinearAlgebraError(routine: "dgesdd", info: -5))" == "dgesdd: argument 5 is invalid or not a number")
    #expect("\(LinearAlgebraError(routine: "dgesvd", info: 3))" == "dgesvd: no result (info 3)")
  }
}
