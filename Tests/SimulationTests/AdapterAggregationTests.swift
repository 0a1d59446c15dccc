import Aggregation
import MPI
import Testing

@testable import Simulation

@Suite struct AdapterAggregationTests {
  private struct Rule: AggregationRule {
    let plan: WirePlan
    var name: String { "other" }
    func wirePlan(round: Int) -> WirePlan { plan }
    func aggregate(_ updates: LayerUpdates) throws -> AggregatedLayer { try FedIT().aggregate(updates) }
  }

  @Test func methodsThatCombineAPartOfTheFactorsAreRefused() throws {
    for part in [FactorSet.a, .b] {
      let rule = Rule(plan: WirePlan(trained: part, uploaded: part, downloaded: part))
      let error = #expect(throws: AdapterAggregationError.self) {
        try AdapterAggregation.requireOneAdapter(of: rule)
      }
      let text = try #require(error).description
      #expect(text.contains("other") && text.contains("only a part"))
      #expect(error?.exitStatus == 2)
    }
    try AdapterAggregation.requireOneAdapter(of: Rule(plan: .bothFactors))
  }

  @Test func aMethodWithCoresIsRefusedWithItsReason() throws {
    let error = #expect(throws: AdapterAggregationError.self) {
      try AdapterAggregation.requireOneAdapter(of: FedSB())
    }
    #expect(
      try #require(error).description
        == "--method: expected a method whose result is one adapter, found fed-sb: it averages an r × r core "
        + "between fixed factors, which PEFT adapters do not carry")
  }

  @Test func methodsThatDoMoreThanCombineFactorsAreRefused() {
    let rule = Rule(plan: WirePlan(trained: .a, uploaded: .both, downloaded: .both))
    #expect(throws: AdapterAggregationError.self) { try AdapterAggregation.requireOneAdapter(of: rule) }
  }
}
