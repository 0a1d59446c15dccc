/// FedSA-LoRA: both factors are trained, `a = Σ p_u A_u` is shared, and every client keeps its `B_u`.
/// Source: arXiv 2410.01463.
///
/// The mean of the clients' `B_u` stands beside `a` to evaluate a global model; no client receives it.
public struct FedSALoRA: AggregationRule {
  public init() {}

  public var name: String { "fedsa-lora" }

  public func wirePlan(round: Int) -> WirePlan { WirePlan(trained: .both, uploaded: .a, downloaded: .a) }

  public func aggregate(_ updates: LayerUpdates) throws -> AggregatedLayer {
    _ = try updates.uniformAdapterRank(for: self)
    return averaged(updates, sweeps: nil)
  }
}
