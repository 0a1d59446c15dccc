internal import Adapters
public import Aggregation

/// What one round of a method puts on the wire, by the rule's definition.
public struct MessageVolume: Sendable, Equatable {
  /// Floats of the head that are sent both ways.
  let headFloatCount: Int
  /// Floats of one broadcast: it serves clients of every adapter rank, so it carries the largest.
  public let broadcastFloatCount: Int
  /// In the cohort's order.
  private let adapterRanks: [Int]
  /// Of every layer. Clients of one adapter rank send and receive as much.
  private let layersByRank: [Int: [WireFloatCounts]]

  /// `adapterRanks` are the cohort's, in its order.
  init(
    _ rule: any AggregationRule, shapes: [LayerShape], headFloatCount: Int, adapterRanks: [Int],
    largestAdapterRank: Int, round: Int
  ) {
    self.headFloatCount = headFloatCount
    self.adapterRanks = adapterRanks
    var layersByRank: [Int: [WireFloatCounts]] = [:]
    for (client, rank) in adapterRanks.enumerated() where layersByRank[rank] == nil {
      layersByRank[rank] = shapes.map {
        rule.wireFloatCounts(of: $0, adapterRanks: adapterRanks, client: client, round: round)
      }
    }
    self.layersByRank = layersByRank
    let downloaded = rule.wirePlan(round: round).downloaded
    func factors(_ adapterRank: Int) -> Int {
      shapes.reduce(0) { $0 + downloaded.floatCount(of: $1, adapterRank: adapterRank) }
    }
    let first = layersByRank[adapterRanks[0]]!.reduce(headFloatCount) { $0 + $1.down }
    broadcastFloatCount = first - factors(adapterRanks[0]) + factors(largestAdapterRank)
  }

  /// That of a cohort with adapters of these layouts, in its order, under the global adapter's.
  init(_ rule: any AggregationRule, _ layout: AdapterLayout, cohort: [AdapterLayout], round: Int) {
    self.init(
      rule, shapes: layout.layers.map(\.shape), headFloatCount: layout.sharedHeadFloatCount,
      adapterRanks: cohort.map(\.adapterRank), largestAdapterRank: layout.adapterRank, round: round)
  }

  /// Floats of every client, in the cohort's order.
  public var clients: [WireFloatCounts] {
    let head = WireFloatCounts(up: headFloatCount, down: headFloatCount)
    return perClient { layers in layers.reduce(head, +) }
  }

  /// What `value` makes of the floats of a client's layers, for every client in the cohort's order.
  func perClient<Value>(_ value: ([WireFloatCounts]) -> Value) -> [Value] {
    let values = layersByRank.mapValues(value)
    return adapterRanks.map { values[$0]! }
  }
}

extension AdapterLayout {
  /// That of every layer.
  var adapterRank: Int { layers[0].layer.adapterRank }

  /// Floats of the head that are sent both ways.
  var sharedHeadFloatCount: Int { headMode == .shared ? count - factorCount : 0 }
}
