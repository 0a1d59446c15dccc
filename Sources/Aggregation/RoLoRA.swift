internal import LinearAlgebra

/// RoLoRA: odd rounds train and average `b` only, even rounds `a` only; the other factor is frozen and the
/// same for all. Source: arXiv 2502.01755.
public struct RoLoRA: AggregationRule {
  public init() {}

  public var name: String { "rolora" }

  public func wirePlan(round: Int) -> WirePlan { .only(round.isMultiple(of: 2) ? .a : .b) }

  public func aggregate(_ updates: LayerUpdates) throws -> AggregatedLayer {
    try aggregate(updates, round: 1)
  }

  /// Fails when the clients' frozen factors differ.
  public func aggregate(_ updates: LayerUpdates, round: Int) throws -> AggregatedLayer {
    _ = try updates.uniformAdapterRank(for: self)
    guard wirePlan(round: round).trained == .a else {
      let a = try updates.frozenA(for: name)
      return AggregatedLayer(a: a, b: averaged(updates.clients.map(\.b), updates.weights))
    }
    let b = try updates.frozenB(for: name)
    return AggregatedLayer(a: averaged(updates.clients.map(\.a), updates.weights), b: b)
  }
}
