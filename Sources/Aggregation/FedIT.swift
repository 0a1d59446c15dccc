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
  averaged(FactorPair(averaging: updates), updates, sweeps: sweeps)
}

/// The same from averages that are there already.
func averaged(_ averages: FactorPair, _ updates: LayerUpdates, sweeps: Int?) -> AggregatedLayer {
  let averages = averages.rounded
  let weights = CombinationCoefficients(ofB: updates.weights, ofA: updates.weights)
  return AggregatedLayer(a: averages.a, b: averages.b, coefficients: weights, sweeps: sweeps)
}
