internal import LinearAlgebra

/// FlexLoRA: the truncated singular value decomposition `W* = U Σ Vᵀ` with `b = U Σ` and `a = Vᵀ`; a client
/// of a smaller adapter rank gets the leading directions. Source: arXiv 2402.11505.
///
/// Found through QR decompositions of the stacked factors, as `FloraNAMatrix` does it. The signs of the
/// directions, which the decomposition leaves open, are those nearest to the averages. A direction that
/// `W*` does not have is zero in `b` and the averages' in `a`, so that training can still use it; without
/// any direction (`W* = 0`) the averages stay.
public struct FlexLoRA: AggregationRule {
  public init() {}

  public var name: String { "flexlora" }

  public var reasonForOneAdapterRank: String? { nil }

  public func aggregate(_ updates: LayerUpdates) throws -> AggregatedLayer {
    let averages = FactorPair(averaging: updates)
    var optimum = try FactorPair(bestApproximationOf: FactorStacks(updates), rank: updates.largestAdapterRank)
    guard optimum.b.elements.contains(where: { $0 != 0 }) else { return averages.rounded }
    optimum.moveSingularValuesToB()
    return try optimum.aligned(to: averages, byRotation: false).rounded
  }
}

extension FactorPair {
  /// From `√σ` on both sides to `σ` in `b` and rows of length one in `a`; rows of zeros stay.
  fileprivate mutating func moveSingularValuesToB() {
    for direction in 0..<a.rows {
      let root = a.withView { frobeniusNorm($0.rows(direction..<direction + 1)) }
      guard root > 0 else { continue }
      for column in 0..<a.columns { a[direction, column] /= root }
      for row in 0..<b.rows { b[row, direction] *= root }
    }
  }
}
