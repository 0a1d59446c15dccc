import Aggregation
import LinearAlgebra
import Testing

@Suite struct HetLoRATests {
  /// The definition: pad, weigh by the norms of the dense products, sum.
  private func expectDefinition(_ cohort: Cohort) throws {
    let norms = (0..<cohort.count).map { u in
      cohort.weights[u] > 0 ? norm(denseProduct(cohort.b[u].inDouble, cohort.a[u].inDouble)) : 0
    }
    let weights = norms.map { $0 / norms.reduce(0, +) }
    let rank = cohort.a.map(\.rows).max()!
    let layer = try cohort.aggregated(by: HetLoRA())
    let a = denseSum(cohort.a.map { padded($0, rank, $0.columns) }, weights)
    let b = denseSum(cohort.b.map { padded($0, $0.rows, rank) }, weights)
    #expect(norm(difference(layer.a.inDouble, a)) <= 1e-7 * norm(a))
    #expect(norm(difference(layer.b.inDouble, b)) <= 1e-7 * norm(b))
    let found = try #require(layer.coefficients).ofB
    for (left, right) in zip(found, weights) { #expect(abs(left - right) < 1e-12) }
  }

  private func padded(_ matrix: Matrix<Float>, _ rows: Int, _ columns: Int) -> Matrix<Float> {
    var wide = Matrix<Float>(rows: rows, columns: columns)
    for row in 0..<matrix.rows {
      for column in 0..<matrix.columns { wide[row, column] = matrix[row, column] }
    }
    return wide
  }

  @Test(arguments: CohortShape.all) func theWeightsAreTheNormsOfTheProducts(shape: CohortShape) throws {
    var cohort = Cohort(shape, spread: 1, seed: 95)
    cohort.b[0].elements = cohort.b[0].elements.map { 3 * $0 }
    try expectDefinition(cohort)
  }

  @Test func smallerClientsArePaddedBelowAndToTheRight() throws {
    try expectDefinition(Cohort(adapterRanks: [2, 6, 1, 4], outputs: 6, inputs: 10, seed: 96))
  }

  @Test func idleAndWeightlessClientsStayOut() throws {
    var cohort = Cohort(CohortShape.all[1], spread: 1, seed: 97).withoutUpdate(of: 2)
    cohort.weights = [0.25, 0.25, 0.25, 0, 0.25]
    try expectDefinition(cohort)
    let found = try #require(try cohort.aggregated(by: HetLoRA()).coefficients).ofA
    #expect(found[2] == 0 && found[3] == 0)
  }

  /// Factors that are not zero with a product that is: rounding must not weigh the clients.
  @Test func withoutAnyProductTheWeightsHold() throws {
    var cohort = Cohort(CohortShape.all[1], spread: 1, seed: 98)
    for u in 0..<cohort.count {
      cohort.a[u] = Matrix(rows: 3, columns: 17, elements: (0..<51).map { Float($0 % 17 + 1) / 7 })
      for row in 0..<40 {
        cohort.b[u][row, 0] = Float(row + u)
        cohort.b[u][row, 1] = Float(2 * row + 1)
        cohort.b[u][row, 2] = -cohort.b[u][row, 0] - cohort.b[u][row, 1]
      }
    }
    let layer = try cohort.aggregated(by: HetLoRA())
    #expect(try #require(layer.coefficients).ofB == cohort.weights)
  }
}
