internal import LinearAlgebra

/// Fed-SB: `b` and `a` are fixed and never sent, the r×r core between them is trained, and
/// `core = Σ p_u R_u`. Source: arXiv 2502.15436.
///
/// With one `b` and one `a` for all, `b core a` is the ideal update itself.
public struct FedSB: AggregationRule {
  public init() {}

  public var name: String { "fed-sb" }

  public var reasonForOneAdapterRank: String? { "it averages cores between factors that all clients share" }

  public func wirePlan(round: Int) -> WirePlan { .only(.core) }

  /// Fails when the clients have no cores or differ in `a` or `b`.
  public func aggregate(_ updates: LayerUpdates) throws -> AggregatedLayer {
    _ = try updates.uniformAdapterRank(for: self)
    let cores = try updates.cores(for: name)
    return AggregatedLayer(
      a: try updates.frozenA(for: name), b: try updates.frozenB(for: name),
      core: averaged(cores, updates.weights))
  }
}
