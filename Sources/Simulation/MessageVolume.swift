internal import Adapters
public import Aggregation

/// What one round of a method puts on the wire, by the rule's definition.
public struct MessageVolume: Sendable, Equatable {
  /// Floats of every client, in the cohort's order.
  public let clients: [WireFloatCounts]
  /// Floats of one broadcast: it serves clients of every adapter rank, so it carries the largest.
  public let broadcastFloatCount: Int

  /// `adapterRanks` are the cohort's, in its order; clients of one adapter rank send and receive as much.
  public init(
    _ rule: any AggregationRule, shapes: [LayerShape], headFloatCount: Int, adapterRanks: [Int],
    largestAdapterRank: Int, round: Int
  ) {
    let head = WireFloatCounts(up: headFloatCount, down: headFloatCount)
    var byRank: [Int: WireFloatCounts] = [:]
    for (client, rank) in adapterRanks.enumerated() where byRank[rank] == nil {
      byRank[rank] = shapes.reduce(head) { sum, shape in
        sum + rule.wireFloatCounts(of: shape, adapterRanks: adapterRanks, client: client, round: round)
      }
    }
    clients = adapterRanks.map { byRank[$0]! }
    let downloaded = rule.wirePlan(round: round).downloaded
    func factors(_ adapterRank: Int) -> Int {
      shapes.reduce(0) { $0 + downloaded.floatCount(of: $1, adapterRank: adapterRank) }
    }
    broadcastFloatCount = clients[0].down - factors(adapterRanks[0]) + factors(largestAdapterRank)
  }
}

extension AdapterLayout {
  /// That of every layer.
  var adapterRank: Int { layers[0].layer.adapterRank }

  /// Floats of the head that are sent both ways.
  var sharedHeadFloatCount: Int { headMode == .shared ? count - factorCount : 0 }
}
