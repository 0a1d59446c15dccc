import Aggregation
import LinearAlgebra
import Randomness
import Testing

@Suite struct LayerUpdatesTests {
  private let cohort = Cohort(
    CohortShape(clients: 3, adapterRank: 2, outputs: 5, inputs: 4), spread: 1, seed: 51)

  @Test func anEmptyCohortIsAnError() {
    #expect(throws: AggregationError.emptyCohort) { try LayerUpdates(clients: [], weights: []) }
    #expect(throws: AggregationError.emptyCohort) { try aggregationWeights(.uniform, exampleCounts: []) }
    #expect(throws: AggregationError.emptyCohort) { try aggregationWeights(.examples, exampleCounts: []) }
  }

  @Test func weightsMustBeWeights() {
    expect(.weightCount(expected: 3, found: 2)) { $0.weights = [0.5, 0.5] }
    expect(.weightSum(0.75)) { $0.weights = [0.25, 0.25, 0.25] }
    expect(.invalidWeight(client: 1, value: -0.5)) { $0.weights = [1, -0.5, 0.5] }
    expect(.invalidWeight(client: 2, value: .infinity)) { $0.weights = [1, 0, .infinity] }
    var nan = cohort
    nan.weights = [1, .nan, 0]
    #expect(throws: AggregationError.self) { try nan.withUpdates { _ in } }
  }

  @Test func roundingOfTheWeightsIsAccepted() throws {
    var cohort = Cohort(CohortShape(clients: 49, adapterRank: 1, outputs: 2, inputs: 2), spread: 1, seed: 52)
    cohort.weights = [Double](repeating: 1 / 49.0, count: 49)
    try cohort.withUpdates { #expect($0.clients.count == 49) }
  }

  @Test func factorsMustFitEachOther() {
    expect(.factorsDisagree(client: 1, rowsOfA: 3, columnsOfB: 2)) { $0.a[1] = Matrix(rows: 3, columns: 4) }
    expect(
      .shape(
        client: 2, expected: LayerShape(outputs: 5, inputs: 4), found: LayerShape(outputs: 4, inputs: 5))
    ) {
      $0.a[2] = Matrix(rows: 2, columns: 5)
      $0.b[2] = Matrix(rows: 4, columns: 2)
    }
  }

  @Test(arguments: [Float.nan, .infinity, -.infinity]) func onlyNumbersAreAccepted(value: Float) {
    expect(.notFinite(client: 1, factor: .a)) { $0.a[1][1, 3] = value }
    expect(.notFinite(client: 2, factor: .b)) { $0.b[2][4, 0] = value }
  }

  @Test func aNaNBesideTheViewIsNobodysBusiness() throws {
    let wide = Matrix<Float>(rows: 2, columns: 3, elements: [1, 2, .nan, 3, 4, .nan])
    let shape = try wide.withView { (view) throws in
      let client = ClientFactors(a: view.columns(0..<2), b: view.columns(0..<2))
      return try LayerUpdates(clients: [client], weights: [1]).shape
    }
    #expect(shape == LayerShape(outputs: 2, inputs: 2))
  }

  @Test func errorsNameTheClient() {
    #expect("\(AggregationError.notFinite(client: 4, factor: .b))" == "client 4: factor b is not finite")
  }

  private func expect(_ error: AggregationError, _ spoil: (inout Cohort) -> Void) {
    var spoilt = cohort
    spoil(&spoilt)
    let bad = spoilt
    #expect(throws: error) { try bad.withUpdates { _ in } }
  }
}

@Suite struct WeightTests {
  @Test func uniformWeightsIgnoreTheCounts() throws {
    #expect(try aggregationWeights(.uniform, exampleCounts: [1, 100, 0, 3]) == [0.25, 0.25, 0.25, 0.25])
  }

  @Test func exampleWeightsAreProportional() throws {
    #expect(try aggregationWeights(.examples, exampleCounts: [1, 0, 3]) == [0.25, 0, 0.75])
  }

  @Test func theWeightsOfAnyCohortSumToOne() throws {
    var random = stream(53)
    for count in 1...40 {
      let examples = (0..<count).map { _ in 1 + random.uniformInteger(below: 5000) }
      for weighting in Weighting.allCases {
        let sum = try aggregationWeights(weighting, exampleCounts: examples).reduce(0, +)
        #expect(abs(sum - 1) < 1e-14 * Double(count))
      }
    }
  }

  @Test func impossibleCountsAreErrors() {
    #expect(throws: AggregationError.invalidExampleCount(client: 1, count: -2)) {
      try aggregationWeights(.examples, exampleCounts: [1, -2])
    }
    #expect(throws: AggregationError.invalidExampleCount(client: 0, count: 0)) {
      try aggregationWeights(.examples, exampleCounts: [0, 0])
    }
  }
}
