import Aggregation
import LinearAlgebra
import Randomness
import Testing

/// The rules that change the base weight: the next model is that of the dense computation.
@Suite struct BaseUpdateTests {
  static let rules: [any AggregationRule] = [FLoRA(), FedExLoRA(), Ideal()]
  /// α / r with α ≠ r, so that a forgotten scaling shows.
  private let scaling = 16.0 / 3

  /// `W + s W*` in Float64, against `W` folded by the rule, plus `s b a` of the factors that stay.
  private func expectSameModel(_ cohort: Cohort, _ rule: any AggregationRule, seed: Int) throws {
    var random = stream(seed, part: 7)
    let base = normalMatrix(cohort.b[0].rows, cohort.a[0].columns, &random).inDouble
    let layer = try cohort.aggregated(by: rule)
    let update = try #require(layer.baseUpdate)
    let ranks = cohort.a.map(\.rows).dropLast(rule is FedExLoRA ? 1 : 0)
    #expect(update.a.rows == ranks.reduce(0, +) && update.b.columns == update.a.rows)
    let folded = sum(base, denseProduct(update.b.inDouble, update.a.inDouble), scaledBy: scaling)
    let model = sum(folded, denseProduct(layer.b.inDouble, layer.a.inDouble), scaledBy: scaling)
    let expected = sum(base, DenseReference(cohort).ideal, scaledBy: scaling)
    #expect(norm(difference(model, expected)) < 3e-7 * scaling * size(cohort), "\(rule.name)")
  }

  /// `Σ p_u ‖B_u‖ ‖A_u‖`: what rounding is relative to.
  private func size(_ cohort: Cohort) -> Double {
    (0..<cohort.count).reduce(0) {
      $0 + cohort.weights[$1] * norm(cohort.b[$1].inDouble) * norm(cohort.a[$1].inDouble)
    }
  }

  private func sum(_ left: Matrix<Double>, _ right: Matrix<Double>, scaledBy s: Double) -> Matrix<Double> {
    Matrix(
      rows: left.rows, columns: left.columns,
      elements: zip(left.elements, right.elements).map { $0 + s * $1 })
  }

  @Test(arguments: CohortShape.all, [1.0, 1e-2])
  func theModelIsTheDenseOne(shape: CohortShape, spread: Double) throws {
    for rule in Self.rules {
      try expectSameModel(Cohort(shape, spread: spread, seed: 81), rule, seed: 81)
    }
  }

  @Test(arguments: 1...25) func theModelIsTheDenseOneForAnyShape(seed: Int) throws {
    var random = stream(seed, part: 9)
    let shape = CohortShape(
      clients: 1 + random.uniformInteger(below: 9), adapterRank: 1 + random.uniformInteger(below: 5),
      outputs: 1 + random.uniformInteger(below: 24), inputs: 1 + random.uniformInteger(below: 24))
    for rule in Self.rules { try expectSameModel(Cohort(shape, spread: 1, seed: seed), rule, seed: seed) }
  }

  @Test func clientsThatAreEqualOrAloneOrIdleOrWeightlessAreExactToo() throws {
    let cohort = Cohort(CohortShape.all[1], spread: 1, seed: 82)
    var weightless = cohort
    weightless.weights = [0.25, 0, 0.25, 0.25, 0.25]
    let alone = Cohort(a: [cohort.a[0]], b: [cohort.b[0]], weights: [1])
    for rule in Self.rules {
      for other in [cohort.repeatingFirst(), cohort.withoutUpdate(of: 2), weightless, alone] {
        try expectSameModel(other, rule, seed: 82)
      }
    }
  }

  @Test func floraStacksClientsOfDifferentRanks() throws {
    let cohort = Cohort(adapterRanks: [3, 1, 5], outputs: 13, inputs: 9, seed: 83)
    try expectSameModel(cohort, FLoRA(), seed: 83)
    #expect(try cohort.aggregated(by: FLoRA()).a.rows == 5)
  }

  @Test func foldingLeavesNoUpdateInTheFactors() throws {
    let cohort = Cohort(CohortShape.all[2], spread: 0.5, seed: 84)
    for rule in [FLoRA(), Ideal()] as [any AggregationRule] {
      let layer = try cohort.aggregated(by: rule)
      #expect(layer.b.elements.allSatisfy { $0 == 0 })
      #expect(layer.a.elements == denseSum(cohort.a, cohort.weights).elements.map { Float($0) })
    }
  }

  @Test func theResidualIsWhatTheAveragesMiss() throws {
    let cohort = Cohort(CohortShape.all[1], spread: 0.5, seed: 85)
    let layer = try cohort.aggregated(by: FedExLoRA())
    let average = try cohort.aggregated(by: FedIT())
    #expect(layer.a == average.a && layer.b == average.b)
    let update = try #require(layer.baseUpdate)
    let missing = difference(
      DenseReference(cohort).ideal, denseProduct(layer.b.inDouble, layer.a.inDouble))
    let error = norm(difference(denseProduct(update.b.inDouble, update.a.inDouble), missing))
    #expect(error < 1e-6 * norm(missing))
  }

  /// Equal clients miss nothing, to the last bit.
  @Test func equalClientsHaveNoResidual() throws {
    let cohort = Cohort(CohortShape.all[1], spread: 1, seed: 86).repeatingFirst()
    let update = try #require(try cohort.aggregated(by: FedExLoRA()).baseUpdate)
    #expect(update.b.elements.allSatisfy { $0 == 0 })
  }

  @Test(arguments: CohortShape.all) func theAppliedPairIsTheIdeal(shape: CohortShape) throws {
    let cohort = Cohort(shape, spread: 0.5, seed: 87)
    for rule in Self.rules {
      let layer = try cohort.aggregated(by: rule)
      #expect(try cohort.diagnosed(layer.applied).rho < 1e-6)
    }
    let plain = try cohort.aggregated(by: FedIT())
    #expect(plain.applied == plain)
  }
}
