import Aggregation
import LinearAlgebra
import Randomness
import Testing

@Suite struct FlexLoRATests {
  @Test(arguments: CohortShape.all) func theProductIsTheBestOfItsRank(shape: CohortShape) throws {
    let cohort = Cohort(shape, spread: 1, seed: 91)
    let dense = DenseReference(cohort)
    let layer = try cohort.aggregated(by: FlexLoRA())
    let optimum = try dense.rhoOptimum(adapterRank: shape.adapterRank)
    #expect(dense.rho(b: layer.b, a: layer.a) <= optimum * (1 + 1e-5) + 1e-6)
  }

  /// `b` has orthogonal columns as long as the singular values of `W*`, `a` orthonormal rows.
  @Test(arguments: CohortShape.all) func theSingularValuesAreInB(shape: CohortShape) throws {
    let cohort = Cohort(shape, spread: 1, seed: 92)
    let values = try DenseReference(cohort).ideal.withView { try singularValues($0) }
    let layer = try cohort.aggregated(by: FlexLoRA())
    let (a, b) = (layer.a.inDouble, layer.b.inDouble)
    let ofA = denseProduct(a, a.transposed)
    let ofB = denseProduct(b.transposed, b)
    for i in 0..<min(shape.adapterRank, values.count) {
      #expect(abs(ofB[i, i].squareRoot() / values[i] - 1) < 1e-5)
      for j in 0..<min(shape.adapterRank, values.count) {
        #expect(abs(ofA[i, j] - (i == j ? 1 : 0)) < 1e-5)
        if i != j { #expect(abs(ofB[i, j]) < 1e-5 * values[0] * values[0]) }
      }
    }
  }

  @Test func everyClientsCutIsTheBestOfItsRank() throws {
    let cohort = Cohort(adapterRanks: [3, 1, 5, 2], outputs: 19, inputs: 11, seed: 93)
    let dense = DenseReference(cohort)
    let layer = try cohort.aggregated(by: FlexLoRA())
    #expect(layer.a.rows == 5 && layer.b.columns == 5)
    for rank in 1...5 {
      let b = layer.b.withView { Matrix($0.columns(0..<rank)) }
      let a = layer.a.withView { Matrix($0.rows(0..<rank)) }
      #expect(try abs(dense.rho(b: b, a: a) - dense.rhoOptimum(adapterRank: rank)) < 1e-6)
    }
  }

  /// One direction of three is used: the other two carry nothing but must stay trainable.
  @Test func unusedDirectionsKeepTheAverageOfA() throws {
    var cohort = Cohort(CohortShape.all[1], spread: 1, seed: 94).repeatingFirst()
    for u in 0..<cohort.count {
      for row in 0..<40 { (cohort.b[u][row, 1], cohort.b[u][row, 2]) = (0, 0) }
    }
    let layer = try cohort.aggregated(by: FlexLoRA())
    #expect(DenseReference(cohort).rho(b: layer.b, a: layer.a) < 1e-6)
    for row in 1...2 {
      for column in 0..<17 { #expect(layer.a[row, column] == cohort.a[0][row, column]) }
    }
  }
}

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
      for row in 0..<40 { cohort.b[u][row, 2] = -cohort.b[u][row, 0] - cohort.b[u][row, 1] }
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

@Suite struct LoRAFairTests {
  private func objective(_ cohort: Cohort, _ delta: Matrix<Double>, _ a: Matrix<Double>, _ lambda: Double)
    -> Double
  {
    var b = denseSum(cohort.b, cohort.weights)
    for index in b.elements.indices { b.elements[index] += delta.elements[index] }
    let error = norm(difference(DenseReference(cohort).ideal, denseProduct(b, a)))
    return error * error + lambda * norm(delta) * norm(delta)
  }

  /// The gradient `(W* − b a) aᵀ − λ ΔB` vanishes: the definition of the minimiser, which is unique for λ > 0.
  @Test(arguments: CohortShape.all, [0.01, 1.0, 25.0])
  func theGradientVanishes(shape: CohortShape, lambda: Double) throws {
    let cohort = Cohort(shape, spread: 1, seed: 101)
    let layer = try cohort.aggregated(by: LoRAFair(regularization: lambda))
    let (a, b) = (layer.a.inDouble, layer.b.inDouble)
    let delta = difference(b, denseSum(cohort.b, cohort.weights))
    let error = difference(DenseReference(cohort).ideal, denseProduct(b, a))
    var gradient = denseProduct(error, a.transposed)
    for index in gradient.elements.indices { gradient.elements[index] -= lambda * delta.elements[index] }
    let scale = norm(b) * (norm(a) * norm(a) + lambda)
    #expect(norm(gradient) < 1e-6 * scale)
    #expect(norm(delta) > 1e-3 || cohort.count == 1)
  }

  @Test func noSmallStepIsBetter() throws {
    let cohort = Cohort(CohortShape.all[2], spread: 1, seed: 102)
    let layer = try cohort.aggregated(by: LoRAFair())
    let (a, delta) = (layer.a.inDouble, difference(layer.b.inDouble, denseSum(cohort.b, cohort.weights)))
    let found = objective(cohort, delta, a, 0.01)
    var random = stream(102, part: 2)
    for _ in 0..<20 {
      var other = delta
      for index in other.elements.indices { other.elements[index] += 0.01 * random.normal() }
      #expect(objective(cohort, other, a, 0.01) > found)
    }
  }

  @Test(arguments: CohortShape.all) func isNeverFartherThanTheAverages(shape: CohortShape) throws {
    let cohort = Cohort(shape, spread: 0.5, seed: 103)
    let diagnostics = try cohort.diagnosed(cohort.aggregated(by: LoRAFair()))
    #expect(diagnostics.rho <= diagnostics.rhoFedIT + 1e-7)
    let layer = try cohort.aggregated(by: LoRAFair())
    #expect(layer.a == (try cohort.aggregated(by: FedIT())).a)
  }

  @Test func equalAndSingleClientsAreLeftAlone() throws {
    let equal = Cohort(CohortShape.all[1], spread: 1, seed: 104).repeatingFirst()
    let alone = Cohort(a: [equal.a[0]], b: [equal.b[0]], weights: [1])
    for cohort in [equal, alone] {
      let layer = try cohort.aggregated(by: LoRAFair())
      #expect(layer.a == cohort.a[0] && layer.b == cohort.b[0])
    }
  }

  /// Rows of `a` that depend on each other leave ΔB open without λ: the smallest is taken.
  @Test func dependentRowsWithoutRegularizationGiveTheSmallestCorrection() throws {
    var cohort = Cohort(CohortShape.all[1], spread: 1, seed: 105)
    for u in 0..<cohort.count {
      for column in 0..<17 { cohort.a[u][2, column] = cohort.a[u][0, column] }
    }
    let layer = try cohort.aggregated(by: LoRAFair(regularization: 0))
    let delta = difference(layer.b.inDouble, denseSum(cohort.b, cohort.weights))
    for row in 0..<40 { #expect(abs(delta[row, 0] - delta[row, 2]) < 1e-5) }
    let gentle = try cohort.aggregated(by: LoRAFair(regularization: 1e-6))
    #expect(norm(difference(gentle.b.inDouble, layer.b.inDouble)) < 1e-4 * norm(layer.b.inDouble))
  }
}

@Suite struct MixedRankTests {
  @Test func onlyRulesThatCanCombineDifferentRanksDo() throws {
    let cohort = Cohort(adapterRanks: [3, 2, 3], outputs: 10, inputs: 8, seed: 106)
    for rule in AggregationRules.all {
      if ["florana-matrix", "flexlora", "flora", "hetlora"].contains(rule.name) {
        #expect(try cohort.aggregated(by: rule).a.rows == 3)
      } else {
        #expect(throws: AggregationError.mixedAdapterRanks(rule: rule.name, ranks: [3, 2, 3])) {
          try cohort.aggregated(by: rule)
        }
      }
    }
  }
}

/// What holds of every rule that averages by the `p_u` or better.
@Suite struct EveryRuleTests {
  @Test func oneClientAndEqualClientsGetTheirProductBack() throws {
    for shape in CohortShape.all {
      let equal = Cohort(shape, spread: 1, seed: 107).repeatingFirst()
      let alone = Cohort(a: [equal.a[0]], b: [equal.b[0]], weights: [1])
      for cohort in [equal, alone] {
        for rule in AggregationRules.all {
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
      let layer = try cohort.aggregated(by: rule)
      let dense = DenseReference(cohort)
      let diagnostics = try cohort.diagnosed(layer)
      #expect(abs(diagnostics.rho - dense.rho(b: layer.b, a: layer.a)) < 1e-9)
      #expect(diagnostics.rho >= diagnostics.rhoOptimum - 1e-7)
    }
  }
}
