import Aggregation
import LinearAlgebra
import Randomness
import Testing

@Suite struct MixedRankTests {
  @Test func onlyRulesThatCanCombineDifferentRanksDo() throws {
    let cohort = Cohort(adapterRanks: [3, 2, 3], outputs: 10, inputs: 8, seed: 106)
    for rule in AggregationRules.all {
      if ["florana-matrix", "flexlora", "flora", "hetlora"].contains(rule.name) {
        #expect(try cohort.aggregated(by: rule).a.rows == 3)
      } else {
        #expect(throws: rule.mixedRanksError([3, 2, 3])) {
          try cohort.aggregated(by: rule)
        }
      }
    }
  }
}

extension AggregationRule {
  /// What a rule that needs one adapter rank throws for these.
  func mixedRanksError(_ ranks: [Int]) -> AggregationError {
    .mixedAdapterRanks(rule: name, reason: reasonForOneAdapterRank ?? "no reason", ranks: ranks)
  }
}

/// What holds of every rule.
@Suite struct EveryRuleTests {
  @Test func oneClientAndEqualClientsGetTheirProductBack() throws {
    for shape in CohortShape.all {
      let equal = Cohort(shape, spread: 1, seed: 107).repeatingFirst()
      let alone = Cohort(a: [equal.a[0]], b: [equal.b[0]], weights: [1])
      for cohort in [equal, alone] {
        for rule in AggregationRules.all {
          let cohort = cohort.suited(to: rule)
          let layer = try cohort.aggregated(by: rule).applied
          #expect(DenseReference(cohort).rho(b: layer.b, a: layer.a) < 1e-6, "\(rule.name) \(shape)")
        }
      }
    }
  }

  @Test(arguments: 1...20) func noRuleIsBelowTheOptimumOfItsRank(seed: Int) throws {
    var random = stream(seed, part: 11)
    let shape = CohortShape(
      clients: 1 + random.uniformInteger(below: 8), adapterRank: 1 + random.uniformInteger(below: 4),
      outputs: 1 + random.uniformInteger(below: 20), inputs: 1 + random.uniformInteger(below: 20))
    let cohort = Cohort(shape, spread: 1, seed: seed)
    for rule in AggregationRules.all where rule.wirePlan(round: 1).base == .none {
      let cohort = cohort.suited(to: rule)
      let layer = try cohort.aggregated(by: rule).applied
      let dense = DenseReference(cohort)
      let diagnostics = try cohort.diagnosed(layer)
      #expect(abs(diagnostics.rho - dense.rho(b: layer.b, a: layer.a)) < 1e-9)
      #expect(diagnostics.rho >= diagnostics.rhoOptimum - 1e-7)
    }
  }
}
