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

  /// Rounds 1 and 2: some rules train another factor in turn.
  @Test(arguments: 1...20, 1...2) func noRuleIsBelowTheOptimumOfItsRank(seed: Int, round: Int) throws {
    let cohort = anyCohort(seed: seed)
    for rule in AggregationRules.all where rule.wirePlan(round: round).base == .none {
      let cohort = cohort.suited(to: rule, round: round)
      let layer = try cohort.aggregated(by: rule, round: round)
      let dense = DenseReference(cohort)
      let diagnostics = try cohort.diagnosed(layer.applied)
      #expect(abs(diagnostics.rho - dense.rho(b: layer.applied.b, a: layer.applied.a)) < 1e-9)
      #expect(diagnostics.rho >= diagnostics.rhoOptimum - 1e-7)
    }
  }

  @Test(arguments: 1...20, 1...2) func everyRuleThatChangesTheBaseIsExact(seed: Int, round: Int) throws {
    let cohort = anyCohort(seed: seed)
    let rules = AggregationRules.all.filter { $0.wirePlan(round: round).base != .none }
    #expect(rules.count == 3)
    for rule in rules {
      let layer = try cohort.aggregated(by: rule, round: round).applied
      #expect(DenseReference(cohort).rho(b: layer.b, a: layer.a) < 2e-6, "\(rule.name)")
    }
  }

  /// A client of weight zero is as good as away.
  @Test(arguments: 1...2) func aClientOfWeightZeroChangesNothing(round: Int) throws {
    for shape in CohortShape.all {
      var cohort = Cohort(shape, spread: 0.5, seed: 108)
      cohort.weights = [Double](repeating: 1 / Double(shape.clients - 1), count: shape.clients)
      cohort.weights[1] = 0
      for rule in AggregationRules.all {
        let all = cohort.suited(to: rule, round: round)
        let layer = try all.aggregated(by: rule, round: round).applied
        let others = try all.without(client: 1).aggregated(by: rule, round: round).applied
        let (own, expected) = (product(of: layer), product(of: others))
        let size = norm(DenseReference(all).ideal)
        if rule.name == "florana" {
          // It may build with the factors of a client that has no say.
          #expect(try all.diagnosed(layer).rho <= all.diagnosed(others).rho + 1e-6, "\(shape)")
        } else {
          #expect(norm(difference(own, expected)) < 1e-5 * size, "\(rule.name) \(shape)")
        }
      }
    }
  }

  private func product(of layer: AggregatedLayer) -> Matrix<Double> {
    denseProduct(layer.b.inDouble, layer.a.inDouble)
  }

  /// A client whose factors and core are zero counts like one that sends any other update.
  @Test(arguments: 1...2) func aClientWithoutAnUpdateDoesNoHarm(round: Int) throws {
    for shape in CohortShape.all {
      for rule in AggregationRules.all {
        let cohort = Cohort(shape, spread: 0.5, seed: 109).suited(to: rule, round: round)
          .idling(1, rule.wirePlan(round: round).trained)
        let layer = try cohort.aggregated(by: rule, round: round)
        let diagnostics = try cohort.diagnosed(layer.applied)
        let numbers = layer.a.elements + layer.b.elements + (layer.core?.elements ?? [])
        #expect(numbers.allSatisfy { $0.isFinite }, "\(rule.name) \(shape)")
        if rule.name != "hetlora" {
          #expect(diagnostics.rho <= diagnostics.rhoFedIT + 1e-6, "\(rule.name) \(shape)")
        }
      }
    }
  }

  private func anyCohort(seed: Int) -> Cohort {
    var random = stream(seed, part: 11)
    let shape = CohortShape(
      clients: 1 + random.uniformInteger(below: 8), adapterRank: 1 + random.uniformInteger(below: 4),
      outputs: 1 + random.uniformInteger(below: 20), inputs: 1 + random.uniformInteger(below: 20))
    return Cohort(shape, spread: 1, seed: seed)
  }
}

extension Cohort {
  /// The others alone, with their weights as they are.
  fileprivate func without(client index: Int) -> Cohort {
    var cohort = self
    cohort.a.remove(at: index)
    cohort.b.remove(at: index)
    if !core.isEmpty { cohort.core.remove(at: index) }
    cohort.weights.remove(at: index)
    return cohort
  }

  /// With zeros for what client `index` trains.
  fileprivate func idling(_ index: Int, _ trained: FactorSet) -> Cohort {
    func zeros(_ matrix: Matrix<Float>) -> Matrix<Float> {
      Matrix(rows: matrix.rows, columns: matrix.columns)
    }
    var cohort = self
    if trained.contains(.a) { cohort.a[index] = zeros(a[index]) }
    if trained.contains(.b) { cohort.b[index] = zeros(b[index]) }
    if trained.contains(.core) { cohort.core[index] = zeros(core[index]) }
    return cohort
  }
}
