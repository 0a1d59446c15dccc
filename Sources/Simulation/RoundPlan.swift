internal import Adapters
internal import Aggregation

/// The plans of one round for the global adapter and for every client's.
struct RoundPlans: Sendable {
  let global: RoundPlan
  private let byAdapterRank: [Int: RoundPlan]
  private let family: AdapterFamily

  init(_ wire: WirePlan, _ family: AdapterFamily) {
    self.family = family
    global = RoundPlan(wire, layout: family.global.layout)
    byAdapterRank = family.members.mapValues { RoundPlan(wire, layout: $0.layout) }
  }

  subscript(client client: Int) -> RoundPlan { byAdapterRank[family.adapterRank(ofClient: client)]! }
}

/// What a method does with every float of an adapter in one round: its `WirePlan` and the head's mode in
/// terms of the buffer. Messages, memories and byte counts follow from it.
struct RoundPlan: Sendable, Equatable {
  /// What local steps move.
  let trained: FloatRanges
  /// What a client sends.
  let uploaded: FloatRanges
  /// What a client overwrites with the broadcast.
  let downloaded: FloatRanges
  /// What a client trains and keeps for itself.
  let kept: FloatRanges
  let base: BaseChange

  init(_ wire: WirePlan, layout: AdapterLayout) {
    func floats(_ factors: FactorSet, head: Bool) -> FloatRanges {
      layout.floats(
        a: factors.contains(.a), b: factors.contains(.b), core: factors.contains(.core), head: head)
    }
    trained = floats(wire.trained, head: layout.headMode != .frozen)
    uploaded = floats(wire.uploaded, head: layout.headMode == .shared)
    downloaded = floats(wire.downloaded, head: layout.headMode == .shared)
    // Factors that are folded into the base weight start afresh instead of staying.
    let folded = floats(wire.base == .fold ? .both : [], head: false)
    kept = trained.subtracting(downloaded).subtracting(folded)
    base = wire.base
  }

  /// What stays on the clients and is collected for reports and the evaluation of a global model alone.
  var reported: FloatRanges { kept.subtracting(uploaded) }
}
