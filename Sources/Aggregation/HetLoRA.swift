internal import LinearAlgebra

/// HetLoRA: factors padded with zeros to the largest adapter rank and averaged with weights proportional to
/// `‖B_u A_u‖_F`; a client gets the leading part of its own rank. Source: arXiv 2401.06432.
///
/// As in the paper the norms replace the weights `p_u`: the numbers of examples do not count, but a client
/// of weight zero stays out. Where no product differs from zero there are no norms to go by, and the
/// `p_u` hold.
public struct HetLoRA: AggregationRule {
  public init() {}

  public var name: String { "hetlora" }

  public var reasonForOneAdapterRank: String? { nil }

  public func aggregate(_ updates: LayerUpdates) throws -> AggregatedLayer {
    let weights = try normWeights(updates)
    let coefficients = CombinationCoefficients(ofB: weights, ofA: weights)
    let pair = FactorPair(combining: updates, coefficients).rounded
    return AggregatedLayer(a: pair.a, b: pair.b, coefficients: coefficients)
  }
}

/// `‖B_u A_u‖_F` over their sum.
private func normWeights(_ updates: LayerUpdates) throws -> [Double] {
  let norms = try zip(updates.clients, updates.weights).map { client, weight in
    weight > 0 ? try productNorm(client) : 0
  }
  let sum = norms.reduce(0, +)
  return sum > 0 ? norms.map { $0 / sum } : updates.weights
}

/// `‖B A‖_F` through the triangular factors: the squares of Gram matrices would lose half of the digits.
private func productNorm(_ client: ClientFactors) throws -> Double {
  let left = try Matrix<Double>(client.b).withView { try triangularFactor($0) }
  let right = try Matrix<Double>(transposing: client.a).withView { try triangularFactor($0) }
  let norm = product(left, .asStored, right, .transposed).frobeniusNorm
  // Less is the rounding of a product that is zero.
  return norm > 1e-14 * left.frobeniusNorm * right.frobeniusNorm ? norm : 0
}
