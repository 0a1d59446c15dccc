internal import Adapters
internal import Aggregation
internal import MPI
internal import Telemetry

/// Bytes that one rank counted in a round, at the calls that moved them.
struct CountedBytes: Sendable, Equatable {
  var packed = 0
  var applied = 0
  var gather = Transfer()
  var broadcast = Transfer()

  /// The numbers that carry the counts to the root.
  var wire: [Int64] {
    [
      packed, applied, gather.sentByteCount, gather.receivedByteCount, broadcast.sentByteCount,
      broadcast.receivedByteCount,
    ].map { Int64($0) }
  }
  static let wireCount = 6
}

/// The bytes of a round as all ranks counted them, beside those that the rule's definition demands.
struct ByteAudit: Sendable, Equatable {
  let counted: ByteCounts
  let demanded: ByteCounts

  /// `wires` has the counts of every rank, one rank after another.
  ///
  /// - Throws: when what the ranks counted is not what the rule demands, or what was sent is not what
  ///   was received: an error of the program, never a rounding.
  init(
    wires: [Int64], rule: any AggregationRule, layout: AdapterLayout, cohort: [Int],
    cohortLayouts: [AdapterLayout], placement: Placement, parcels: [Parcel], round: Int
  ) throws(SimulationError) {
    func sum(_ index: Int) -> Int {
      stride(from: index, to: wires.count, by: CountedBytes.wireCount).reduce(0) { $0 + Int(wires[$1]) }
    }
    counted = ByteCounts(logicalUp: sum(0), logicalDown: sum(1), gathered: sum(2), broadcast: sum(4))
    demanded = Self.demanded(rule, layout, cohort, cohortLayouts, placement, parcels, round: round)
    let received = ByteCounts(
      logicalUp: counted.logicalUp, logicalDown: counted.logicalDown, gathered: sum(3), broadcast: sum(5))
    guard counted == demanded, received == demanded else {
      throw .bytes(round: round, demanded: demanded, sent: counted, received: received)
    }
  }

  /// The analytic figures: per client by the rule's table, between ranks by the placement. One broadcast
  /// serves clients of every adapter rank, so it carries the largest.
  private static func demanded(
    _ rule: any AggregationRule, _ layout: AdapterLayout, _ cohort: [Int], _ cohortLayouts: [AdapterLayout],
    _ placement: Placement, _ parcels: [Parcel], round: Int
  ) -> ByteCounts {
    let perClient = DemandedFloats.perClient(rule, layout, cohortLayouts, parcels, round: round)
    let crossing = zip(cohort, perClient).reduce(0) { sum, next in
      let rank = placement.rank(ofClient: next.0)
      return sum + zip(parcels, next.1.upByParcel).reduce(0) { $0 + ($1.0.server == rank ? 0 : $1.1) }
    }
    let downloaded = rule.wirePlan(round: round).downloaded
    let broadcast = layout.layers.reduce(perClient[0].down) { sum, slot in
      let client = cohortLayouts[0].layers[slot.index].layer
      return sum - downloaded.floatCount(of: slot.shape, adapterRank: client.adapterRank)
        + downloaded.floatCount(of: slot.shape, adapterRank: slot.layer.adapterRank)
    }
    let floatBytes = MemoryLayout<Float>.stride
    return ByteCounts(
      logicalUp: perClient.reduce(0) { $0 + $1.upByParcel.reduce(0, +) } * floatBytes,
      logicalDown: perClient.reduce(0) { $0 + $1.down } * floatBytes, gathered: crossing * floatBytes,
      broadcast: (placement.rankCount - 1) * broadcast * floatBytes)
  }
}

/// What the rule's definition demands of one client.
private struct DemandedFloats {
  var upByParcel: [Int]
  var down: Int

  /// In the order of the cohort. Clients of one layout send and receive as many.
  static func perClient(
    _ rule: any AggregationRule, _ layout: AdapterLayout, _ cohort: [AdapterLayout], _ parcels: [Parcel],
    round: Int
  ) -> [DemandedFloats] {
    let head = layout.headMode == .shared ? layout.count - layout.factorCount : 0
    let ranks = layout.layers.map { slot in cohort.map { $0.layers[slot.index].layer.adapterRank } }
    var known: [Int: DemandedFloats] = [:]
    for (client, own) in cohort.enumerated() where known[own.count] == nil {
      let counts = layout.layers.map { slot in
        rule.wireFloatCounts(
          of: slot.shape, adapterRanks: ranks[slot.index], client: client, round: round)
      }
      known[own.count] = DemandedFloats(
        upByParcel: parcels.map { parcel in
          counts[parcel.layers].reduce(parcel.hasHead ? head : 0) { $0 + $1.up }
        }, down: counts.reduce(head) { $0 + $1.down })
    }
    return cohort.map { known[$0.count]! }
  }
}
