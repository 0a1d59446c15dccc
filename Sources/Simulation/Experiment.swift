public import Adapters
internal import Aggregation
public import ClientData
public import Configuration
internal import Foundation
internal import Telemetry
public import Transformer

/// A configuration with everything that it names opened and checked: model, data, adapter and clients.
/// The same on every rank.
public struct Experiment: Sendable {
  public let configuration: RunConfiguration
  public let pretrained: PretrainedModel
  public let dataset: Dataset
  public let train: DatasetSplit
  public let test: DatasetSplit
  /// The rows of every client, in order of client id.
  public let shards: [ClientShard]
  public let layout: AdapterLayout
  /// The frozen model with room for the adapters of `layout`.
  let model: any ClassificationModel
  /// The global adapter before the first round.
  let start: AdapterParameters
  let rule: any AggregationRule

  /// Opens model and data and deals the rows to the clients.
  ///
  /// - Throws: the first thing found that does not fit, before any training.
  public init(_ configuration: RunConfiguration) throws {
    self.configuration = configuration
    rule = try AggregationRules.rule(named: configuration.method.name.rawValue)
    pretrained = try PretrainedModel(path: configuration.model.path)
    dataset = try Dataset(folder: configuration.data.path)
    train = try dataset.split("train")
    test = try dataset.split("test")
    layout = try namingKeys(of: pretrained) { [pretrained, dataset] in
      try requireFit(
        dataset, to: pretrained, modelPath: configuration.model.path,
        maximumLength: configuration.data.maximumLength)
      return try Self.layout(
        configuration.adapter, pretrained, labelCount: dataset.description.labels.count)
    }
    model = try pretrained.classifier(layout: layout)
    start = try pretrained.start(layout: layout, seed: configuration.seed)
    shards = try Partition(
      of: train, kind: PartitionKind(configuration.data.partition),
      clientCount: configuration.clients.count, seed: configuration.seed
    ).shards(heldOut: configuration.data.heldOut, seed: configuration.seed)
    try Self.requireCountableSteps(configuration.training, shards)
  }

  /// A local step's number in its round is part of the key of its random numbers, which has 20 bits for it.
  private static func requireCountableSteps(
    _ training: RunConfiguration.Training, _ shards: [ClientShard]
  ) throws {
    guard case .epochs(let epochs) = training.length else { return }
    let largest = shards.map { ($0.trainRows.count + training.batch - 1) / training.batch }.max() ?? 0
    guard largest * epochs < 1 << 20 else {
      throw ConfigurationError(
        keyPath: "training.epochs",
        problem: "expected fewer than 2^20 steps a round, found \(largest) an epoch times \(epochs)")
    }
  }

  private static func layout(
    _ adapter: RunConfiguration.Adapter, _ pretrained: PretrainedModel, labelCount: Int
  ) throws -> AdapterLayout {
    AdapterLayout(
      layers: try pretrained.adaptedLayers(
        targets: adapter.targets, adapterRank: adapter.rank, scaling: adapter.peft(baseModel: nil).scaling),
      head: pretrained.headTensors(labelCount: labelCount), headMode: HeadMode(adapter.head))
  }

  /// The rows of every client by label, for reports.
  public var partitionTable: PartitionTable {
    PartitionTable(shards: shards, labels: train.labels, labelNames: dataset.description.labels)
  }

  /// What PEFT needs to know to load the run's adapter. A method that changes the base weights leaves a base
  /// model of its own.
  public var peftConfiguration: PEFTConfiguration {
    configuration.adapter.peft(
      baseModel: changesBase ? PEFTConfiguration.ownBase : configuration.model.path)
  }

  /// Whether the method changes the base weights.
  var changesBase: Bool { rule.wirePlan(round: 1).base != .none }
}

/// Tells what does not fit between configuration and model under the configuration's keys.
private func namingKeys<Result>(of pretrained: PretrainedModel, _ body: () throws -> Result) throws -> Result
{
  do { return try body() } catch ModelError.noLayerNamed(let target, _) {
    throw ConfigurationError(keyPath: "adapter.targets", unknown: target, valid: pretrained.targetNames)
  } catch ModelError.sequenceTooLong(let tokens, let limit) {
    throw ConfigurationError(
      keyPath: "data.maximum-length",
      problem: "expected at most \(limit), the model's positions, for these data; found \(tokens)")
  }
}

/// Checks that a data set was made for this model: its tokeniser, vocabulary, segments and positions.
public func requireFit(
  _ dataset: Dataset, to pretrained: PretrainedModel, modelPath: String, maximumLength: Int
) throws {
  let tokenizer = modelPath + "/tokenizer.json"
  if FileManager.default.fileExists(atPath: tokenizer) {
    try dataset.requireTokenizer(sha256: SHA256.hexDigest(ofFileAt: tokenizer))
  }
  try dataset.requireTokens(below: pretrained.vocabularySize)
  try dataset.requireTokenTypes(below: pretrained.tokenTypeCount)
  try pretrained.requirePositions(tokenCount: min(maximumLength, dataset.description.maximumLength))
}

extension RunConfiguration.Adapter {
  func peft(baseModel: String?) -> PEFTConfiguration {
    PEFTConfiguration(
      adapterRank: rank, alpha: alpha, targets: targets, dropout: dropout, isRankStabilised: rslora,
      baseModel: baseModel)
  }
}
