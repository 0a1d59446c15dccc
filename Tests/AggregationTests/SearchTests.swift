@testable import Aggregation
import LinearAlgebra
import Randomness
import Testing

@Suite struct SearchTests {
  @Test(arguments: CohortShape.all, [1.0, 1e-2])
  func theObjectiveIsTheDenseOneSweepBySweep(shape: CohortShape, spread: Double) throws {
    let cohort = Cohort(shape, spread: spread, seed: 41)
    try withBothForms(cohort) { (search) throws in
      var path = [search.averageObjective]
      let ideal = search.idealSquare
      _ = try search.descend(from: search.average) { path.append($0) }
      #expect(path.count > 2)
      let dense = try DenseSearch(cohort).descend(cohort.weights, cohort.weights, min(path.count - 1, 20))
      for (own, expected) in zip(path, dense) {
        // Six digits of ρ, or what the search regards as nothing.
        #expect(abs((own / ideal).squareRoot() - expected) <= 1e-6 * expected + 1e-9)
      }
    }
  }

  /// The search may end on the word of an older curvature: nothing is left all the same.
  @Test(arguments: CohortShape.all, [1.0, 1e-2])
  func nothingIsLeftToGainAtTheEnd(shape: CohortShape, spread: Double) throws {
    let cohort = Cohort(shape, spread: spread, seed: 47)
    try withBothForms(cohort, endsEarly: true) { (search) throws in
      let state = try search.descend(from: search.average)
      let next = try search.improved(search.improved(state, .left), .right)
      #expect(state.objective - next.objective <= 2e-9 * state.objective + 1e-13 * search.idealSquare)
    }
  }

  /// From the averages, from the second start and from a point that is near no minimum.
  @Test(arguments: CohortShape.all, [1.0, 1e-2])
  func noHalfSweepRaisesTheObjective(shape: CohortShape, spread: Double) throws {
    let cohort = Cohort(shape, spread: spread, seed: 44)
    try withBothForms(cohort) { (search) throws in
      let ideal = search.idealSquare
      for start in [search.average, try #require(try search.spectralStart()), try scattered(search)] {
        var state = start
        for side in (0..<6).flatMap({ _ in [Side.left, .right] }) {
          let next = try search.improved(state, side)
          #expect(next.objective <= state.objective * (1 + 1e-9) + 1e-13 * ideal)
          // The half sweep that follows sees the same objective.
          let seen = try search.quadratic(side.other, other: next[side]).value(at: next[side.other])
          #expect(abs(seen - next.objective) <= 1e-9 * next.objective + 1e-13 * ideal)
          state = next
        }
        #expect(state.objective < start.objective)
      }
    }
  }

  private func scattered(_ search: CoefficientSearch<AnyProducts>) throws
    -> CoefficientSearch<AnyProducts>.State
  {
    var random = stream(44, part: 5)
    var state = search.average
    for side in [Side.left, .right] { state[side] = state[side].map { _ in 0.5 * random.normal() } }
    state.objective = try search.quadratic(.left, other: state.right).value(at: state.left)
    return state
  }

  @Test(arguments: CohortShape.all) func theSpectralStartIsOptimallyScaled(shape: CohortShape) throws {
    let cohort = Cohort(shape, spread: 0.5, seed: 42)
    try withBothForms(cohort) { (search) throws in
      let start = try #require(try search.spectralStart())
      let quadratic = try search.quadratic(.left, other: start.right)
      let value = quadratic.value(at: start.left)
      for factor in [0.99, 1.01] {
        // (1 + ξ, x) times the factor, as a change against the average.
        let scaled = zip(start.left, search.products.mean).map { factor * ($0 + $1) - $1 }
        #expect(quadratic.value(at: scaled) > value)
      }
      let descended = try search.descend(from: start)
      #expect(descended.objective <= value * (1 + 1e-12))
    }
  }

  @Test(arguments: CohortShape.all) func bothFormsAnswerTheSame(shape: CohortShape) throws {
    let cohort = Cohort(shape, spread: 0.5, seed: 43)
    try cohort.withUpdates { (updates) throws in
      let factors = CentredFactors<Double>(updates)
      let (gram, factored) = (GramProducts(factors), FactoredProducts(factors))
      var random = stream(43, part: 4)
      let vector = (0...shape.clients).map { _ in random.normal() }
      let root = normalMatrix(shape.adapterRank, shape.adapterRank, &random).inDouble
      let moment = root.withView { gramMatrix($0) }
      #expect(abs(gram.averageObjective / factored.averageObjective - 1) <= 1e-12)
      for side in [Side.left, .right] {
        #expect(close(gram.meanProducts(side), factored.meanProducts(side)))
        #expect(close(gram.moment(side, vector), factored.moment(side, vector)))
        let (own, other) = (gram.correlation(side, with: vector), factored.correlation(side, with: vector))
        #expect(close(column(own), column(other)))
        let norms = (gram.errorImageNorm(side, vector), factored.errorImageNorm(side, vector))
        #expect(abs(norms.0 / norms.1 - 1) <= 1e-12)
        #expect(abs(norms.0 / denseErrorImageNorm(cohort, side, vector) - 1) <= 1e-9)
        let answers = (gram.answers(side, changes: vector), factored.answers(side, changes: vector))
        #expect(close(answers.0.moment, answers.1.moment))
        #expect(close(column(answers.0.correlations), column(answers.1.correlations)))
        let curvature = try factored.curvature(side, moment: moment)
        #expect(close(gram.curvature(side, moment: moment), curvature))
      }
    }
  }

  /// `‖E₀ Âᵀ‖` or `‖B̂ᵀ E₀‖` from dense matrices.
  private func denseErrorImageNorm(_ cohort: Cohort, _ side: Side, _ vector: [Double]) -> Double {
    let (b, a) = (denseSum(cohort.b, cohort.weights), denseSum(cohort.a, cohort.weights))
    let error = difference(DenseReference(cohort).ideal, denseProduct(b, a))
    // Mean and differences as coefficients of the clients.
    let sum = vector[0] - vector.dropFirst().reduce(0, +)
    let coefficients = zip(vector.dropFirst(), cohort.weights).map { $0 + sum * $1 }
    if side == .left { return norm(denseProduct(error, denseSum(cohort.a, coefficients).transposed)) }
    return norm(denseProduct(denseSum(cohort.b, coefficients).transposed, error))
  }

  private func column(_ numbers: [Double]) -> Matrix<Double> {
    Matrix(rows: numbers.count, columns: 1, elements: numbers)
  }

  /// Differences of 1e-3 leave ρ at 1e-6.
  @Test(arguments: [0.5, 1e-2, 1e-3]) func singlePrecisionKeepsThreeDigits(spread: Double) throws {
    let shape = CohortShape(clients: 9, adapterRank: 3, outputs: 50, inputs: 35)
    let cohort = Cohort(shape, spread: spread, seed: 45)
    try cohort.withUpdates { (updates) throws in
      let exact = try reachedRho(GramProducts(CentredFactors<Double>(updates)), cohort)
      let single = CentredFactors<Float>(updates)
      #expect(abs(try reachedRho(GramProducts(single), cohort) / exact - 1) < 1e-4)
      // Its questions are answered apart, each with its own rounding: three digits, where Gram matrices keep four.
      #expect(abs(try reachedRho(FactoredProducts(single), cohort) / exact - 1) < 1e-3)
    }
  }

  private func reachedRho(_ products: some FactorProducts, _ cohort: Cohort) throws -> Double {
    let search = CoefficientSearch(products, weights: cohort.weights)
    let state = try search.descend(from: search.average)
    #expect(state.objective < search.averageObjective)
    return (state.objective / search.idealSquare).squareRoot()
  }

  /// Large enough for products in Float32, which cannot tell this optimum from zero.
  @Test func multiplesOfCommonFactorsAreExactInLargeCohorts() throws {
    let shape = CohortShape(clients: 40, adapterRank: 8, outputs: 300, inputs: 300)
    let form = EstimatorForm.cheapest(
      clients: 40, adapterRank: 8, shape: LayerShape(outputs: 300, inputs: 300))
    #expect(form.isLarge(clients: 40, adapterRank: 8, shape: LayerShape(outputs: 300, inputs: 300)))
    var cohort = Cohort(shape, spread: 0, seed: 46)
    for u in 0..<cohort.count {
      let (p, q) = (Float(1 + u % 4) / 4, Float(1 + u % 3) / 2)
      cohort.b[u].elements = cohort.b[0].elements.map { p * $0 }
      cohort.a[u].elements = cohort.a[0].elements.map { q * $0 }
    }
    let diagnostics = try cohort.diagnosed(cohort.aggregated(by: FloraNA()))
    #expect(diagnostics.rhoFedIT > 1e-3 && diagnostics.rho < 1e-7)
  }

  @Test func theCheaperFormIsChosen() {
    func form(_ clients: Int, _ rank: Int, _ outputs: Int, _ inputs: Int) -> EstimatorForm {
      EstimatorForm.cheapest(
        clients: clients, adapterRank: rank, shape: LayerShape(outputs: outputs, inputs: inputs))
    }
    #expect(form(8, 16, 4096, 4096) == .gram)
    #expect(form(128, 16, 4096, 4096) == .gram)
    #expect(form(32, 8, 384, 384) == .gram)
    #expect(form(4, 8, 576, 1536) == .gram)
    #expect(form(1024, 16, 4096, 4096) == .factored)
    #expect(form(512, 8, 576, 576) == .factored)
    #expect(form(128, 8, 576, 576) == .gram)
    // One of the shapes that the rule's own tests run through.
    #expect(form(40, 2, 8, 7) == .factored)
  }

  @Test func operationCountsAreThoseOfTheProducts() {
    let shape = LayerShape(outputs: 5, inputs: 7)
    // n = (2 + 1) · 3 = 9: 81 · 12 / 2, then 9 · 2 · 9, then 2 · (3 + 2 · 8) passes over 81 numbers.
    #expect(
      EstimatorForm.gramOperationCount(clients: 2, adapterRank: 3, shape: shape) == 486 + 162 + 38 * 81 * 8)
    // 64 · 9 · 12 for the sketch, then 8 sweeps of 6 · 9 · 3 · 12 + 9 · 3 · 12 / 2.
    let factored = EstimatorForm.factoredOperationCount(clients: 2, adapterRank: 3, shape: shape)
    #expect(factored == 6912 + 8 * (1944 + 162))
  }

  private func withBothForms(
    _ cohort: Cohort, endsEarly: Bool = false, _ body: (CoefficientSearch<AnyProducts>) throws -> Void
  ) throws {
    try cohort.withUpdates { (updates) throws in
      let factors = CentredFactors<Double>(updates)
      try body(
        CoefficientSearch(AnyProducts(GramProducts(factors)), weights: cohort.weights, endsEarly: endsEarly))
      try body(
        CoefficientSearch(
          AnyProducts(FactoredProducts(factors)), weights: cohort.weights, endsEarly: endsEarly))
    }
  }

  private func close(_ left: Matrix<Double>, _ right: Matrix<Double>) -> Bool {
    norm(difference(left, right)) <= 1e-12 * norm(left)
  }
}

/// Either form, for closures that take both.
private struct AnyProducts: FactorProducts {
  private let base: any FactorProducts

  init(_ base: any FactorProducts) { self.base = base }

  var clientCount: Int { base.clientCount }
  var adapterRank: Int { base.adapterRank }
  var correlation: Matrix<Double>? { base.correlation }
  var averageObjective: Double { base.averageObjective }
  var averageObjectiveDeviation: Double { base.averageObjectiveDeviation }
  var measured: AnyProducts { AnyProducts(base.measured) }
  func meanProducts(_ side: Side) -> Matrix<Double> { base.meanProducts(side) }
  func answers(_ side: Side, changes: [Double]) -> (moment: Matrix<Double>, correlations: [Double]) {
    base.answers(side, changes: changes)
  }
  func correlation(_ side: Side, with combination: [Double]) -> [Double] {
    base.correlation(side, with: combination)
  }
  func errorImageNorm(_ side: Side, _ combination: [Double]) -> Double {
    base.errorImageNorm(side, combination)
  }
  func moment(_ side: Side, _ combination: [Double]) -> Matrix<Double> { base.moment(side, combination) }
  func curvature(_ side: Side, moment: Matrix<Double>) throws -> Matrix<Double> {
    try base.curvature(side, moment: moment)
  }
}
