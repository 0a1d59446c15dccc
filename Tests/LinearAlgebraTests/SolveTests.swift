import LinearAlgebra
import Testing

@Suite struct SolveTests {
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

  @Test func eigenvaluesBelowTheCutOffAreDropped() throws {
    let solution = try semidefiniteSolution(diagonal([1.0, 1e-11, 1e-13]), [1, 1, 1], relativeCutOff: 1e-12)
    #expect(abs(solution[0] - 1) < 1e-12 && abs(solution[1] * 1e-11 - 1) < 1e-12 && solution[2] == 0)
  }

  /// `V Σ⁺ Uᵀ right` by the singular value decomposition.
  private func leastNorm(_ matrix: Matrix<Double>, _ right: Matrix<Double>) throws -> Matrix<Double> {
    let factors = try matrix.withView { try singularValueDecomposition($0) }
    var inner = naiveProduct(factors.u.transposed, right)
    for (row, value) in factors.values.enumerated() {
      for column in 0..<inner.columns {
        inner[row, column] *= value > 1e-12 * factors.values[0] ? 1 / value : 0
      }
    }
    return naiveProduct(factors.vTransposed.transposed, inner)
  }
}
