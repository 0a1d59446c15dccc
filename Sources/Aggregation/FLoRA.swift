internal import LinearAlgebra

/// FLoRA: every client gets all clients' factors and folds them into its base weight, `W ← W + s W*`; the
/// factors start afresh. Source: arXiv 2409.05976.
///
/// Clients may have different adapter ranks. The pair that stands beside the base update is a start: `b`
/// is zero, `a` the clients' mean; no client receives it.
public struct FLoRA: AggregationRule {
  public init() {}

  public var name: String { "flora" }

  public var reasonForOneAdapterRank: String? { nil }

  public func wirePlan(round: Int) -> WirePlan { .folding }

  /// Up a client's own factors, down those of the whole cohort.
  public func wireFloatCounts(
    of shape: LayerShape, adapterRanks: [Int], client: Int, round: Int
  ) -> WireFloatCounts {
    WireFloatCounts(
      up: shape.factorFloatCount(adapterRank: adapterRanks[client]),
      down: shape.factorFloatCount(adapterRank: adapterRanks.reduce(0, +)))
  }

  public func aggregate(_ updates: LayerUpdates) throws -> AggregatedLayer { folded(updates) }
}

/// The ideal update for the base weight, beside a pair without an update.
func folded(_ updates: LayerUpdates) -> AggregatedLayer {
  AggregatedLayer(
    a: averaged(updates.clients.map(\.a), updates.weights),
    b: Matrix(rows: updates.shape.outputs, columns: updates.largestAdapterRank),
    baseUpdate: LowRankUpdate(idealOf: updates))
}

extension WirePlan {
  /// Both factors are trained and sent; what comes down goes into the base weight.
  static let folding = WirePlan(trained: .both, uploaded: .both, downloaded: [], base: .fold)
}
