internal import Adapters
internal import Aggregation
internal import Configuration
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
    cohortLayouts: [AdapterLayout], placement: Placement, parcels: [Parcel], round: Int, wire: WireFormat
  ) throws(SimulationError) {
    func sum(_ index: Int) -> Int {
      stride(from: index, to: wires.count, by: CountedBytes.wireCount).reduce(0) { $0 + Int(wires[$1]) }
    }
    counted = ByteCounts(logicalUp: sum(0), logicalDown: sum(1), gathered: sum(2), broadcast: sum(4))
    demanded = Self.demanded(rule, layout, cohort, cohortLayouts, placement, parcels, round: round, wire)
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
    _ placement: Placement, _ parcels: [Parcel], round: Int, _ wire: WireFormat
  ) -> ByteCounts {
    let volume = MessageVolume(rule, layout, cohort: cohortLayouts, round: round)
    let upByParcel = volume.perClient { layers in
      parcels.map { parcel in
        layers[parcel.layers].reduce(parcel.hasHead ? volume.headFloatCount : 0) { $0 + $1.up }
      }
    }
    let crossing = zip(cohort, upByParcel).reduce(0) { sum, next in
      let rank = placement.rank(ofClient: next.0)
      return sum + zip(parcels, next.1).reduce(0) { $0 + ($1.0.server == rank ? 0 : $1.1) }
    }
    return ByteCounts(
      logicalUp: upByParcel.reduce(0) { $0 + $1.reduce(0, +) } * wire.byteCount,
      logicalDown: volume.clients.reduce(0) { $0 + $1.down } * wire.byteCount,
      gathered: crossing * wire.byteCount,
      broadcast: (placement.rankCount - 1) * volume.broadcastFloatCount * wire.byteCount)
  }
}
