/// FedEx-LoRA: the averages, and what they miss goes into the base weight, `W ← W + s (W* − b a)`.
/// Source: arXiv 2410.09432.
public struct FedExLoRA: AggregationRule {
  public init() {}

  public var name: String { "fedex-lora" }

  public func wirePlan(round: Int) -> WirePlan {
    WirePlan(trained: .both, uploaded: .both, downloaded: .both, base: .residual)
  }

  /// Down the averages and the residual, dense or as factors of all clients' ranks but one's.
  public func wireFloatCounts(
    of shape: LayerShape, adapterRanks: [Int], client: Int, round: Int
  ) -> WireFloatCounts {
    let own = shape.factorFloatCount(adapterRank: adapterRanks[client])
    return WireFloatCounts(
      up: own, down: own + shape.updateFloatCount(rank: adapterRanks.dropLast().reduce(0, +)))
  }

  public func aggregate(_ updates: LayerUpdates) throws -> AggregatedLayer {
    _ = try updates.uniformAdapterRank(for: self)
    let average = averaged(updates, sweeps: nil)
    return AggregatedLayer(
      a: average.a, b: average.b, coefficients: average.coefficients,
      baseUpdate: LowRankUpdate(residualOf: updates, average: average))
  }
}
