internal import Adapters
internal import Aggregation
public import Configuration
internal import ClientData
internal import Transformer

/// The dimensions of an adapter without its numbers: enough for the bytes of every method.
public struct AdapterOutline: Sendable {
  let shapes: [LayerShape]
  let headFloatCount: Int
  let ranks: AdapterRanks
  /// The clients that `ranks` speaks for; further ones repeat them.
  let clientCount: Int

  /// That of a configuration: opens its model and its data's description, but no rows.
  public init(_ configuration: RunConfiguration) throws {
    let pretrained = try PretrainedModel(path: configuration.model.path)
    let dataset = try Dataset(folder: configuration.data.path)
    let task = try ModelTask(
      dataset, splits: [], pretrained, maximumNewTokens: configuration.evaluate.maximumNewTokens)
    let family = try AdapterFamily(configuration.adapter, pretrained, task, hasCores: false)
    shapes = family.global.layout.layers.map(\.shape)
    headFloatCount = family.global.layout.sharedHeadFloatCount
    ranks = configuration.adapter.rank
    clientCount = configuration.clients.count
  }

  /// That of any model: groups of layers of one shape, without a head.
  public init(layers: [(count: Int, outputs: Int, inputs: Int)], adapterRank: Int) {
    shapes = layers.flatMap { group in
      [LayerShape](
        repeating: LayerShape(outputs: group.outputs, inputs: group.inputs), count: group.count)
    }
    headFloatCount = 0
    ranks = .same(adapterRank)
    clientCount = 1
  }

  public var layerCount: Int { shapes.count }
  public var largestAdapterRank: Int { ranks.largest }

  /// Floats of one client's factors of the largest adapter rank, with the shared head.
  public var floatCount: Int {
    shapes.reduce(headFloatCount) { $0 + $1.factorFloatCount(adapterRank: largestAdapterRank) }
  }

  /// The methods that can combine these clients.
  public var methods: [String] {
    AggregationRules.all.filter { ranks.distinct.count == 1 || $0.reasonForOneAdapterRank == nil }.map(\.name)
  }

  /// What a round of a cohort puts on the wire.
  public func volume(method: String, cohort: some Sequence<Int>, round: Int) throws -> MessageVolume {
    MessageVolume(
      try AggregationRules.rule(named: method), shapes: shapes, headFloatCount: headFloatCount,
      adapterRanks: cohort.map { ranks[client: $0 % clientCount] }, largestAdapterRank: ranks.largest,
      round: round)
  }

  /// How much more work the estimate of a method is with `clients` than with `before` clients.
  public func estimateGrowth(method: String, from before: Int, to clients: Int) throws -> Double {
    let rule = try AggregationRules.rule(named: method)
    func operations(_ clients: Int) -> Double {
      shapes.reduce(0) {
        $0 + rule.relativeOperationCount(clients: clients, adapterRank: ranks.largest, shape: $1)
      }
    }
    return operations(clients) / operations(before)
  }
}
