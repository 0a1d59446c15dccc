/// The oracle: `W ← W + s W*` exactly, and the factors start afresh.
///
/// What comes down is counted as the cheaper of the dense matrix and the stacked factors.
public struct Ideal: AggregationRule {
  public init() {}

  public var name: String { "ideal" }

  public var reasonForOneAdapterRank: String? {
    "it is the oracle of methods with one; flora makes the same update of different ones"
  }

  public func wirePlan(round: Int) -> WirePlan { .folding }

  public func wireFloatCounts(
    of shape: LayerShape, adapterRanks: [Int], client: Int, round: Int
  ) -> WireFloatCounts {
    WireFloatCounts(
      up: shape.factorFloatCount(adapterRank: adapterRanks[client]),
      down: shape.updateFloatCount(rank: adapterRanks.reduce(0, +)))
  }

  public func aggregate(_ updates: LayerUpdates) throws -> AggregatedLayer {
    _ = try updates.uniformAdapterRank(for: self)
    return folded(updates)
  }
}

extension LayerShape {
  /// The floats of a change of the base weight: dense or as factors of this rank, whichever is less.
  func updateFloatCount(rank: Int) -> Int { min(outputs * inputs, factorFloatCount(adapterRank: rank)) }
}
