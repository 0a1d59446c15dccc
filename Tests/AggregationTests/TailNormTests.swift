@testable import Aggregation
import LinearAlgebra
import Randomness
import Testing

/// The norm beyond the leading singular values of matrices that are large enough for the iteration.
@Suite struct TailNormTests {
  @Test(arguments: [1.0, 1e-3, 1e-7]) func isThatOfAllSingularValues(noise: Double) throws {
    let matrix = lowRank(rank: 3, noise: noise)
    let norm = try tailNorm(matrix, beyond: 3)
    #expect(abs(norm / (try exactTailNorm(matrix, beyond: 3)) - 1) < 1e-9)
  }

  @Test func vanishesWithTheTail() throws {
    let matrix = lowRank(rank: 3, noise: 0)
    #expect(try tailNorm(matrix, beyond: 3) < 1e-14 * matrix.frobeniusNorm)
  }

  /// Singular values that hardly fall off: the iteration is given up.
  @Test func isExactWithoutAGap() throws {
    var random = stream(52, part: 1)
    let matrix = normalMatrix(300, 200, &random).inDouble
    let norm = try tailNorm(matrix, beyond: 3)
    #expect(abs(norm / (try exactTailNorm(matrix, beyond: 3)) - 1) < 1e-9)
  }

  private func exactTailNorm(_ matrix: Matrix<Double>, beyond rank: Int) throws -> Double {
    let tail = try matrix.withView { try singularValues($0) }.dropFirst(rank)
    return tail.reduce(0) { $0 + $1 * $1 }.squareRoot()
  }

  private func lowRank(rank: Int, noise: Double) -> Matrix<Double> {
    var random = stream(51, part: 1)
    var matrix = product(
      normalMatrix(300, rank, &random).inDouble, .asStored, normalMatrix(rank, 200, &random).inDouble)
    let own = normalMatrix(300, 200, &random)
    for index in matrix.elements.indices { matrix.elements[index] += noise * Double(own.elements[index]) }
    return matrix
  }
}
