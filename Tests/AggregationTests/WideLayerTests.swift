@testable import Aggregation
import LinearAlgebra
import Testing

/// Layers of which the factored form estimates the averages' objective from random signs.
@Suite struct WideLayerTests {
  /// Multiples of common factors and some noise: other coefficients remove nearly all that averaging loses.
  private func multiples(_ shape: CohortShape, noise: Double, seed: Int) -> Cohort {
    var cohort = Cohort(shape, spread: 0, seed: seed)
    var random = stream(seed, part: 3)
    for u in 0..<cohort.count {
      let (p, q) = (Float(1 + u % 4) / 4, Float(1 + u % 3) / 2)
      cohort.b[u].elements = cohort.b[u].elements.map { p * $0 }
      cohort.a[u].elements = cohort.a[u].elements.map { q * $0 }
      cohort.b[u] = perturbed(cohort.b[u], by: noise, &random)
      cohort.a[u] = perturbed(cohort.a[u], by: noise, &random)
    }
    return cohort
  }

  @Test(arguments: [1, 2, 8]) func theSketchKnowsHowFarItIsOff(adapterRank: Int) throws {
    let shape = CohortShape(clients: 6, adapterRank: adapterRank, outputs: 30, inputs: 300)
    for seed in 1...3 {
      let cohort = multiples(shape, noise: 0.02, seed: seed)
      try cohort.withUpdates { (updates) throws in
        let factors = CentredFactors<Double>(updates)
        let (sketched, exact) = (FactoredProducts(factors), GramProducts(factors).averageObjective)
        let deviation = sketched.averageObjectiveDeviation
        // √(2/64) for one direction.
        #expect(deviation > 0.02 * exact && deviation < 0.4 * exact)
        #expect(abs(sketched.averageObjective - exact) < 4 * deviation)
        #expect(abs(sketched.measured.averageObjective / exact - 1) < 1e-12)
        #expect(sketched.measured.averageObjectiveDeviation == 0)
      }
    }
  }

  @Test(arguments: 1...4) func nearlyAllThatAveragingLosesIsRemoved(seed: Int) throws {
    let shape = CohortShape(clients: 100, adapterRank: 8, outputs: 150, inputs: 200)
    let form = EstimatorForm.cheapest(
      clients: 100, adapterRank: 8, shape: LayerShape(outputs: 150, inputs: 200))
    #expect(form == .factored)
    let cohort = multiples(shape, noise: 0.01, seed: seed)
    let diagnostics = try cohort.diagnosed(cohort.aggregated(by: FloraNA()))
    let rho = try searchedRho(cohort)
    #expect(rho < 0.1 * diagnostics.rhoFedIT)
    #expect(diagnostics.rho <= rho * (1 + 1e-5) + 6e-8)
  }

  /// Without sketch and in Float64, from the averages.
  private func searchedRho(_ cohort: Cohort) throws -> Double {
    try cohort.withUpdates { (updates) throws in
      let search = CoefficientSearch(
        GramProducts(CentredFactors<Double>(updates)), weights: cohort.weights)
      return (try search.descend(from: search.average).objective / search.idealSquare).squareRoot()
    }
  }

  /// Large enough for products in Float32, by both forms.
  @Test(
    arguments: [
      CohortShape(clients: 16, adapterRank: 16, outputs: 300, inputs: 260),
      CohortShape(clients: 100, adapterRank: 8, outputs: 150, inputs: 200),
    ], [0.1, 1e-3, 1e-6])
  func largeCohortsReachTheMeasuredSearch(shape: CohortShape, spread: Double) throws {
    let layer = LayerShape(outputs: shape.outputs, inputs: shape.inputs)
    let form = EstimatorForm.cheapest(clients: shape.clients, adapterRank: shape.adapterRank, shape: layer)
    #expect(form == (shape.clients == 16 ? .gram : .factored))
    #expect(form.isLarge(clients: shape.clients, adapterRank: shape.adapterRank, shape: layer))
    let cohort = Cohort(shape, spread: spread, seed: 48)
    let diagnostics = try cohort.diagnosed(cohort.aggregated(by: FloraNA()))
    #expect(try diagnostics.rho <= searchedRho(cohort) * (1 + 1e-3) + 6e-8)
    #expect(diagnostics.errorNorm <= diagnostics.errorNormFedIT)
  }

  /// Of independent clients much remains: the sketch is good enough, and its error changes no gain.
  @Test(arguments: [1.0, 0.1]) func theSearchIsThatOfTheMeasuredObjective(spread: Double) throws {
    let cohort = Cohort(
      CohortShape(clients: 4, adapterRank: 4, outputs: 40, inputs: 300), spread: spread, seed: 71)
    try cohort.withUpdates { (updates) throws in
      let products = FactoredProducts(CentredFactors<Double>(updates))
      let sketched = CoefficientSearch(products, weights: cohort.weights)
      let measured = sketched.measured
      let found = try sketched.descend(from: sketched.average)
      let expected = try measured.descend(from: measured.average)
      #expect(found.objective > sketched.uncertainty)
      let gains = (
        sketched.averageObjective - found.objective, measured.averageObjective - expected.objective
      )
      #expect(abs(gains.0 / gains.1 - 1) < 1e-6)
    }
  }
}
