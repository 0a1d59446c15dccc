import Aggregation
import LinearAlgebra
import Testing

@Suite struct RuleTests {
  @Test func rulesAreFoundByTheirNames() throws {
    #expect(
      AggregationRules.names == [
        "fedit", "florana", "florana-matrix", "ffa-lora", "rolora", "fedsa-lora", "flexlora", "flora",
        "fedex-lora", "hetlora", "lora-fair", "fed-sb", "ideal",
      ])
    for name in AggregationRules.names { #expect(try AggregationRules.rule(named: name).name == name) }
    #expect(throws: AggregationError.unknownRule(name: "florena", known: AggregationRules.names)) {
      try AggregationRules.rule(named: "florena")
    }
  }

  @Test func factorSetsCountTheirOwnFactor() {
    // Not square, and one dimension equal to the adapter rank: a is told from b by name alone.
    let shape = LayerShape(outputs: 4, inputs: 10)
    #expect(FactorSet.a.floatCount(of: shape, adapterRank: 4) == 40)
    #expect(FactorSet.b.floatCount(of: shape, adapterRank: 4) == 16)
    #expect(FactorSet.both.floatCount(of: shape, adapterRank: 4) == shape.factorFloatCount(adapterRank: 4))
    #expect(FactorSet.core.floatCount(of: shape, adapterRank: 4) == 16)
    #expect(FactorSet.core.floatCount(of: shape, adapterRank: 3) == 9)
    #expect(FactorSet([]).floatCount(of: shape, adapterRank: 4) == 0)
  }

  @Test(arguments: CohortShape.all) func averagesAreTheWeightedSums(shape: CohortShape) throws {
    let cohort = Cohort(shape, spread: 1, seed: 61)
    let layer = try cohort.aggregated(by: FedIT())
    #expect(
      layer.a.inDouble.elements.map { Float($0) }
        == denseSum(cohort.a, cohort.weights).elements.map { Float($0) })
    #expect(layer.b.elements == denseSum(cohort.b, cohort.weights).elements.map { Float($0) })
  }
}

@Suite struct LentViewTests {
  /// Factors that lie in wider buffers with NaN between them give the bits of factors without gaps.
  @Test func gapsBetweenTheRowsAreNotRead() throws {
    let cohort = Cohort(CohortShape.all[1], spread: 0.5, seed: 66)
    for rule in AggregationRules.all {
      let cohort = cohort.suited(to: rule)
      var padded = cohort
      padded.a = cohort.a.map { widened($0) }
      padded.b = cohort.b.map { widened($0) }
      padded.core = cohort.core.map { widened($0) }
      let layer = try cohort.aggregated(by: rule)
      try padded.withUpdates(gap: 2) { (updates) throws in
        #expect(try rule.aggregate(updates) == layer)
        #expect(try diagnose(updates, layer) == cohort.diagnosed(layer))
      }
    }
  }

  private func widened(_ matrix: Matrix<Float>) -> Matrix<Float> {
    var wide = Matrix<Float>(rows: matrix.rows, columns: matrix.columns + 2)
    for row in 0..<wide.rows {
      for column in 0..<wide.columns {
        wide[row, column] = column < matrix.columns ? matrix[row, column] : .nan
      }
    }
    return wide
  }
}

@Suite struct IdealUpdateTests {
  @Test(arguments: CohortShape.all) func theProductIsTheIdealAndNotItsTranspose(shape: CohortShape) throws {
    let cohort = Cohort(shape, spread: 1, seed: 62)
    let ideal = DenseReference(cohort).ideal
    let update = try cohort.withUpdates { IdealUpdate($0) }
    let product = denseProduct(update.b.inDouble, update.a.inDouble)
    #expect(norm(difference(product, ideal)) < 1e-6 * norm(ideal))
  }

  @Test func theCheaperFormCrossesTheWire() throws {
    // 9 clients of rank 3: 27 · 24 factored floats against 140 dense ones; two of rank 8: 16 · 50 against 600.
    try Cohort(CohortShape.all[5], spread: 1, seed: 63).withUpdates {
      #expect(IdealUpdate($0).wireFloatCount == 140)
    }
    let few = CohortShape(clients: 2, adapterRank: 1, outputs: 20, inputs: 30)
    try Cohort(few, spread: 1, seed: 63).withUpdates { #expect(IdealUpdate($0).wireFloatCount == 100) }
  }
}

@Suite struct DiagnosticsTests {
  @Test(arguments: CohortShape.all, [1.0, 1e-3]) func agreesWithTheDenseReference(
    shape: CohortShape, spread: Double
  ) throws {
    let cohort = Cohort(shape, spread: spread, seed: 64)
    let dense = DenseReference(cohort)
    let average = try cohort.aggregated(by: FedIT())
    // A pair that is in nobody's span.
    let stranger = Cohort(shape, spread: 1, seed: 65)
    let layer = AggregatedLayer(a: stranger.a[0], b: stranger.b[0])
    let diagnostics = try cohort.diagnosed(layer)
    #expect(abs(diagnostics.idealNorm / norm(dense.ideal) - 1) < 1e-12)
    #expect(abs(diagnostics.rho - dense.rho(b: layer.b, a: layer.a)) < 1e-12)
    #expect(abs(diagnostics.rhoFedIT / dense.rho(b: average.b, a: average.a) - 1) < 1e-6)
    #expect(try abs(diagnostics.rhoOptimum - dense.rhoOptimum(adapterRank: shape.adapterRank)) < 1e-12)
  }

  @Test func averagingClosesNothingOfTheGapAndTheOptimumAll() throws {
    let cohort = Cohort(CohortShape.all[1], spread: 0.5, seed: 67)
    let plain = try cohort.diagnosed(cohort.aggregated(by: FedIT()))
    #expect(plain.errorNorm == plain.errorNormFedIT && plain.closedGap == 0)
    let best = try #require(try cohort.diagnosed(cohort.aggregated(by: FloraNAMatrix())).closedGap)
    #expect(abs(best - 1) < 1e-5)
    let between = try #require(try cohort.diagnosed(cohort.aggregated(by: FloraNA())).closedGap)
    #expect(between > 0 && between < 1)
  }

  @Test func aRoundsFiguresAreOverAllLayers() {
    let layers = [
      LayerDiagnostics(idealNorm: 3, errorNorm: 0.6, errorNormFedIT: 0.9, errorNormOptimum: 0),
      LayerDiagnostics(idealNorm: 4, errorNorm: 0.8, errorNormFedIT: 1.2, errorNormOptimum: 0.5),
    ]
    let total = LayerDiagnostics.total(layers)
    #expect(abs(total.rho - 0.2) < 1e-15 && abs(total.rhoFedIT - 0.3) < 1e-15)
    #expect(abs(total.rhoOptimum - 0.1) < 1e-15)
    #expect(abs(total.closedGap! - 0.5) < 1e-12)
  }

  @Test func anIdealOfZeroHasNoDistance() {
    let nothing = LayerDiagnostics(idealNorm: 0, errorNorm: 0, errorNormFedIT: 0, errorNormOptimum: 0)
    #expect(nothing.rho == 0 && nothing.closedGap == nil)
    #expect(LayerDiagnostics.total([]).rho == 0)
  }
}
