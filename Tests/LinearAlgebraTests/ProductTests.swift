import LinearAlgebra
import Testing

@Suite struct ProductTests {
  @Test(arguments: shapes) func allOrientationsAgreeWithTheNaiveProduct(rows: Int, inner: Int) {
    let left = sample(rows, inner, seed: 1, as: Double.self)
    let right = sample(inner, 6, seed: 2, as: Double.self)
    let expected = naiveProduct(left, right)
    #expect(distance(product(left, .asStored, right, .asStored), expected) < 1e-12)
    #expect(distance(product(left.transposed, .transposed, right, .asStored), expected) < 1e-12)
    #expect(distance(product(left, .asStored, right.transposed, .transposed), expected) < 1e-12)
    #expect(distance(product(left.transposed, .transposed, right.transposed, .transposed), expected) < 1e-12)
  }

  @Test(arguments: shapes) func productsWithVectorsAgreeWithTheNaiveProduct(rows: Int, columns: Int) {
    let wide = sample(rows, columns + 3, seed: 8, as: Double.self)
    let matrix = wide.withView { Matrix($0.columns(2..<columns + 2)) }
    let (x, y) = (sample(columns, 1, seed: 9, as: Double.self), sample(rows, 1, seed: 10, as: Double.self))
    wide.withView { wide in
      let view = wide.columns(2..<columns + 2)
      let forward = Matrix(rows: rows, columns: 1, elements: product(view, vector: x.elements))
      #expect(distance(forward, naiveProduct(matrix, x)) < 1e-12)
      let back = Matrix(rows: columns, columns: 1, elements: product(view, .transposed, vector: y.elements))
      #expect(distance(back, naiveProduct(matrix.transposed, y)) < 1e-12)
    }
  }

  @Test func stridedViewsAreReadAndWrittenInPlace() {
    let wide = sample(4, 9, seed: 3, as: Float.self)
    var target = Matrix<Float>(rows: 4, columns: 8)
    wide.withView { wide in
      target.withMutableView { target in
        multiply(wide.columns(2..<5), .asStored, wide.columns(5..<9).rows(0..<3), into: target.columns(1..<5))
      }
    }
    let left = wide.withView { Matrix($0.columns(2..<5)) }
    let right = wide.withView { Matrix($0.columns(5..<9).rows(0..<3)) }
    #expect(distance(target.withView { Matrix($0.columns(1..<5)) }, naiveProduct(left, right)) < 1e-6)
    for row in 0..<4 { #expect(target[row, 0] == 0 && target[row, 5] == 0 && target[row, 7] == 0) }
  }

  @Test(arguments: shapes) func gramMatrixIsSymmetricAndRight(rows: Int, columns: Int) {
    let matrix = sample(rows, columns, seed: 4, as: Double.self)
    let ofRows = matrix.withView { gramMatrix($0) }
    let ofColumns = matrix.withView { gramMatrix($0, .transposed) }
    #expect(distance(ofRows, naiveProduct(matrix, matrix.transposed)) < 1e-12)
    #expect(distance(ofColumns, naiveProduct(matrix.transposed, matrix)) < 1e-12)
    #expect(ofRows == ofRows.transposed && ofColumns == ofColumns.transposed)
  }

  @Test func gramMatrixOfAStridedView() {
    let wide = sample(70, 9, seed: 5, as: Float.self)
    let part = wide.withView { Matrix($0.columns(3..<6)) }
    let gram = wide.withView { gramMatrix($0.columns(3..<6)) }
    #expect(distance(gram, naiveProduct(part, part.transposed)) < 1e-5)
  }
}

@Suite struct NormTests {
  @Test func floatsAreAccumulatedInDouble() {
    // 2²⁴ + 1 is no Float: a Float sum would stay at 2²⁴.
    let elements = [Float(4096)] + [Float](repeating: 1, count: 9)
    let matrix = Matrix(rows: 2, columns: 5, elements: elements)
    #expect(innerProduct(matrix, matrix) == 16_777_225)
  }

  @Test func squaresOfLargeAndSmallFloatsNeitherOverflowNorVanish() {
    #expect(Matrix<Float>(rows: 1, columns: 2, elements: [3e30, 4e30]).frobeniusNorm.isFinite)
    let small = Matrix<Float>(rows: 1, columns: 2, elements: [3e-30, 4e-30]).frobeniusNorm
    #expect(abs(small / 5e-30 - 1) < 1e-6)
  }

  @Test func stridesAreRespected() {
    let matrix = sample(3, 20, seed: 6, as: Float.self)
    let part = matrix.withView { frobeniusNorm($0.columns(1..<18)) }
    let copy = matrix.withView { Matrix<Double>($0.columns(1..<18)) }
    let expected = copy.elements.reduce(0) { $0 + $1 * $1 }.squareRoot()
    #expect(abs(part - expected) < 1e-12)
  }

  @Test func transposeConvertsAndRespectsStrides() {
    let matrix = sample(3, 8, seed: 7, as: Float.self)
    let transposed = matrix.withView { Matrix<Double>(transposing: $0.columns(2..<7)) }
    #expect(transposed.rows == 5 && transposed.columns == 3)
    for row in 0..<3 {
      for column in 0..<5 { #expect(transposed[column, row] == Double(matrix[row, column + 2])) }
    }
  }
}
