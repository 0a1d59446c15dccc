import Aggregation
import LinearAlgebra
import Testing

/// The table of the rules, in floats.
@Suite struct WireTests {
  /// One dimension equal to the adapter rank: factors are told apart by name alone.
  private let shape = LayerShape(outputs: 8, inputs: 20)
  private let ranks = [8, 8, 8]

  private func counts(_ name: String, round: Int = 1) throws -> WireFloatCounts {
    try AggregationRules.rule(named: name)
      .wireFloatCounts(of: shape, adapterRanks: ranks, client: 1, round: round)
  }

  @Test(arguments: ["fedit", "florana", "florana-matrix", "flexlora", "hetlora", "lora-fair"])
  func bothFactorsBothWays(name: String) throws {
    #expect(try counts(name) == WireFloatCounts(up: 224, down: 224))
    let rule = try AggregationRules.rule(named: name)
    #expect(rule.wirePlan(round: 1) == .bothFactors && rule.wirePlan(round: 2) == .bothFactors)
  }

  @Test func oneFactorOfARuleThatSharesOne() throws {
    let ofB = WireFloatCounts(up: 64, down: 64)
    let ofA = WireFloatCounts(up: 160, down: 160)
    #expect(try counts("ffa-lora") == ofB && counts("ffa-lora", round: 2) == ofB)
    #expect(try counts("rolora") == ofB && counts("rolora", round: 2) == ofA)
    #expect(try counts("rolora", round: 3) == ofB)
    #expect(try counts("fedsa-lora") == ofA && counts("fedsa-lora", round: 2) == ofA)
  }

  @Test func aCoreIsTheSquareOfTheRank() throws {
    // Equal to one factor's floats in this shape, and to nothing else in a larger one.
    #expect(try counts("fed-sb") == WireFloatCounts(up: 64, down: 64))
    let large = LayerShape(outputs: 100, inputs: 200)
    let found = FedSB().wireFloatCounts(of: large, adapterRanks: [5, 5, 5], client: 2, round: 4)
    #expect(found == WireFloatCounts(up: 25, down: 25))
    #expect(FedSB().wirePlan(round: 2) == WirePlan(trained: .core, uploaded: .core, downloaded: .core))
  }

  @Test func theBaseUpdateGoesTheCheaperWay() throws {
    // 3 · 224 stacked floats against 160 dense ones; FLoRA always stacks.
    #expect(try counts("flora") == WireFloatCounts(up: 224, down: 672))
    #expect(try counts("fedex-lora") == WireFloatCounts(up: 224, down: 224 + 160))
    #expect(try counts("ideal") == WireFloatCounts(up: 224, down: 160))
    let large = LayerShape(outputs: 100, inputs: 200)
    for (name, down) in [("flora", 1500), ("fedex-lora", 300 + 1200), ("ideal", 1500)] {
      let found = try AggregationRules.rule(named: name)
        .wireFloatCounts(of: large, adapterRanks: [1, 1, 1, 1, 1], client: 4, round: 2)
      #expect(found == WireFloatCounts(up: 300, down: down))
    }
  }

  @Test func clientsOfSmallerRanksSendLess() throws {
    let large = LayerShape(outputs: 100, inputs: 200)
    for name in ["flexlora", "hetlora", "florana-matrix"] {
      let rule = try AggregationRules.rule(named: name)
      let found = rule.wireFloatCounts(of: large, adapterRanks: [8, 8, 4, 16], client: 2, round: 1)
      #expect(found == WireFloatCounts(up: 1200, down: 1200))
    }
    let stacked = FLoRA().wireFloatCounts(of: large, adapterRanks: [8, 8, 4, 16], client: 2, round: 1)
    #expect(stacked == WireFloatCounts(up: 1200, down: 36 * 300))
  }

  @Test func plansSayWhatStaysAndWhatTheBaseDoes() {
    #expect(FFALoRA().wirePlan(round: 2) == WirePlan(trained: .b, uploaded: .b, downloaded: .b))
    #expect(RoLoRA().wirePlan(round: 1) == WirePlan(trained: .b, uploaded: .b, downloaded: .b))
    #expect(RoLoRA().wirePlan(round: 2) == WirePlan(trained: .a, uploaded: .a, downloaded: .a))
    #expect(FedSALoRA().wirePlan(round: 1) == WirePlan(trained: .both, uploaded: .a, downloaded: .a))
    let folding = WirePlan(trained: .both, uploaded: .both, downloaded: [], base: .fold)
    #expect(FLoRA().wirePlan(round: 1) == folding && Ideal().wirePlan(round: 1) == folding)
    #expect(
      FedExLoRA().wirePlan(round: 1)
        == WirePlan(trained: .both, uploaded: .both, downloaded: .both, base: .residual))
    for rule in AggregationRules.all where rule.wirePlan(round: 1).base == .none {
      #expect(rule.wirePlan(round: 1).uploaded == rule.wirePlan(round: 1).downloaded)
    }
  }

  /// What is promised of the table holds of what the rules return.
  @Test(arguments: CohortShape.all) func layersHaveTheSizesThatAreCounted(shape: CohortShape) throws {
    let cohort = Cohort(shape, spread: 1, seed: 71)
    let layerShape = LayerShape(outputs: shape.outputs, inputs: shape.inputs)
    for rule in AggregationRules.all {
      let plan = rule.wirePlan(round: 1)
      let layer = try cohort.suited(to: rule).aggregated(by: rule)
      #expect(layer.a.rows == shape.adapterRank && layer.a.columns == shape.inputs)
      #expect(layer.b.rows == shape.outputs && layer.b.columns == shape.adapterRank)
      #expect((layer.baseUpdate != nil) == (plan.base != .none))
      guard let update = layer.baseUpdate else { continue }
      let stacked = update.a.elements.count + update.b.elements.count
      let factors = plan.downloaded.floatCount(of: layerShape, adapterRank: shape.adapterRank)
      let ranks = [Int](repeating: shape.adapterRank, count: shape.clients)
      let down = rule.wireFloatCounts(of: layerShape, adapterRanks: ranks, client: 0, round: 1).down
      let dense = rule.name == "flora" ? .max : shape.outputs * shape.inputs
      #expect(down == factors + min(stacked, dense))
    }
  }
}
