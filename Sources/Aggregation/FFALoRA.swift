internal import LinearAlgebra

/// FFA-LoRA: `a` is frozen at its seeded start and never sent; `b = Σ p_u B_u`. Source: arXiv 2403.12313.
///
/// With one `a` for all, `b a` is the ideal update itself.
public struct FFALoRA: AggregationRule {
  public init() {}

  public var name: String { "ffa-lora" }

  public func wirePlan(round: Int) -> WirePlan { .only(.b) }

  /// Fails when the clients' `a` differ.
  public func aggregate(_ updates: LayerUpdates) throws -> AggregatedLayer {
    _ = try updates.uniformAdapterRank(for: self)
    let a = try updates.frozenA(for: name)
    return AggregatedLayer(a: a, b: averaged(updates.clients.map(\.b), updates.weights))
  }
}
