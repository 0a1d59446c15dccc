/// Plain averaging: `b = Σ p_u B_u`, `a = Σ p_u A_u`. Source: arXiv 2305.05644.
public struct FedIT: AggregationRule {
  public init() {}

  public var name: String { "fedit" }

  public func aggregate(_ updates: LayerUpdates) throws -> AggregatedLayer {
    _ = try updates.uniformAdapterRank(for: self)
    return averaged(updates, sweeps: nil)
  }
}

/// The averages as a layer.
func averaged(_ updates: LayerUpdates, sweeps: Int?) -> AggregatedLayer {
  let weights = updates.weights
  return AggregatedLayer(
    a: averaged(updates.clients.map(\.a), weights), b: averaged(updates.clients.map(\.b), weights),
    coefficients: CombinationCoefficients(ofB: weights, ofA: weights), sweeps: sweeps)
}
