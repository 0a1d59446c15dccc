import LinearAlgebra
import Testing

@Suite struct SolveTests {
  @Test func fullRankSystemsAreSolved() throws {
    let matrix = sample(9, 9, seed: 1, as: Double.self)
    let solution = sample(9, 3, seed: 2, as: Double.self)
    let right = naiveProduct(matrix, solution)
    #expect(distance(try leastNorm(matrix, right), solution) < 1e-11)
  }

  @Test func overdeterminedSystemsLeaveAnOrthogonalResidual() throws {
    let matrix = sample(20, 6, seed: 3, as: Double.self)
    let right = sample(20, 2, seed: 4, as: Double.self)
    let solution = try leastNorm(matrix, right)
    #expect(distance(normalResidual(matrix, solution, right), Matrix(rows: 6, columns: 2)) < 1e-12)
  }

  @Test(arguments: [(12, 7), (7, 12), (9, 9)]) func deficientSystemsGetTheShortestSolution(
    rows: Int, columns: Int
  ) throws {
    let matrix = sample(rows, columns, ofRank: 3, seed: 5)
    let right = sample(rows, 2, seed: 6, as: Double.self)
    let solution = try leastNorm(matrix, right)
    #expect(distance(normalResidual(matrix, solution, right), Matrix(rows: columns, columns: 2)) < 1e-11)
    // The shortest solution lies in the row space: projecting on it changes nothing.
    let rowSpace = try matrix.withView { try singularValueDecomposition($0) }.vTransposed.withView {
      Matrix($0.rows(0..<3))
    }
    let projected = naiveProduct(rowSpace.transposed, naiveProduct(rowSpace, solution))
    #expect(distance(projected, solution) < 1e-12)
  }

  @Test func singularValuesBelowTheCutOffAreDropped() throws {
    let matrix = diagonal([1.0, 1e-11, 1e-13])
    let solution = try leastNorm(matrix, Matrix(rows: 3, columns: 1, elements: [1, 1, 1]))
    #expect(abs(solution[0, 0] - 1) < 1e-12 && abs(solution[1, 0] * 1e-11 - 1) < 1e-12 && solution[2, 0] == 0)
  }

  @Test(arguments: [2, 5, 9]) func semidefiniteSolutionIsTheShortestOne(rank: Int) throws {
    let matrix = sample(9, rank, seed: 7, as: Double.self).withView { gramMatrix($0) }
    let right = naiveProduct(matrix, sample(9, 1, seed: 8, as: Double.self))
    let expected = try leastNorm(matrix, right)
    let solution = try semidefiniteSolution(matrix, right.elements, relativeCutOff: 1e-12)
    #expect(distance(Matrix(rows: 9, columns: 1, elements: solution), expected) < 1e-8)
  }

  @Test func aSystemOfZerosHasTheSolutionZero() throws {
    #expect(
      try semidefiniteSolution(Matrix(rows: 3, columns: 3), [0.0, 1, 2], relativeCutOff: 1e-12) == [0, 0, 0])
  }

  private func leastNorm(_ matrix: Matrix<Double>, _ right: Matrix<Double>) throws -> Matrix<Double> {
    try matrix.withView { matrix in
      try right.withView { try minimumNormSolution(matrix, $0, relativeCutOff: 1e-12) }
    }
  }

  /// `matrixᵀ (right − matrix · solution)`, which vanishes for a least-squares solution.
  private func normalResidual(
    _ matrix: Matrix<Double>, _ solution: Matrix<Double>, _ right: Matrix<Double>
  ) -> Matrix<Double> {
    var residual = right
    let reached = naiveProduct(matrix, solution)
    for index in residual.elements.indices { residual.elements[index] -= reached.elements[index] }
    return naiveProduct(matrix.transposed, residual)
  }
}
