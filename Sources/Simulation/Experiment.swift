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
  public private(set) var configuration: RunConfiguration
  public let pretrained: PretrainedModel
  public let dataset: Dataset
  public let train: DatasetSplit
  public let test: DatasetSplit
  let task: ModelTask
  /// The rows of every client, in order of client id.
  public let shards: [ClientShard]
  /// The global adapter's and every client's.
  let family: AdapterFamily
  /// The global adapter before the first round.
  let start: AdapterParameters
  let rule: any AggregationRule

  /// Opens model and data and deals the rows to the clients.
  ///
  /// - Throws: the first thing found that does not fit, before any training.
  public init(_ configuration: RunConfiguration) throws {
    self.configuration = configuration
    rule = try AggregationRules.rule(named: configuration.method.name.rawValue)
    pretrained = try PretrainedModel(
      path: configuration.model.path, precision: Precision(configuration.model.precision))
    dataset = try Dataset(folder: configuration.data.path)
    train = try dataset.split("train")
    test = try dataset.split("test")
    try requireAdapterRanksThatFitMethod(configuration)
    task = try ModelTask(configuration, dataset, pretrained)
    family = try namingKeys(of: pretrained) { [pretrained, dataset, rule, task] in
      try requireFit(
        dataset, to: pretrained, modelPath: configuration.model.path,
        maximumLength: configuration.data.maximumLength)
      return try AdapterFamily(
        configuration.adapter, pretrained, task, hasCores: rule.trainsCores)
    }
    start = try pretrained.start(layout: family.global.layout, seed: configuration.seed)
    shards = try Partition(
      of: train, kind: PartitionKind(configuration.data.partition),
      clientCount: configuration.clients.count, seed: configuration.seed,
      // Where nothing is held back, one row is enough.
      minimumRows: configuration.data.heldOut > 0 ? 2 : 1
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

  /// The same with another way to serve.
  func serving(_ mode: RunConfiguration.Server.Mode) -> Experiment {
    var experiment = self
    experiment.configuration.server.mode = mode
    return experiment
  }

  /// The rows of the test set that are evaluated.
  var testRows: [Int] { test.spreadRows(limit: configuration.evaluate.limit) }

  /// The global adapter's.
  public var layout: AdapterLayout { family.global.layout }
  /// The frozen model with room for the adapters of `layout`.
  var model: TaskModel { family.global.model }

  /// The rows of every client by label (for generation: group), for reports.
  public var partitionTable: PartitionTable {
    PartitionTable(shards: shards, labels: train.classes, labelNames: dataset.description.classNames)
  }

  /// What PEFT needs to know to load the run's adapter. A method that changes the base weights leaves a base
  /// model of its own.
  public var peftConfiguration: PEFTConfiguration {
    configuration.adapter.peft(
      task: task.peft, adapterRank: configuration.adapter.rank.largest,
      baseModel: changesBase ? PEFTConfiguration.ownBase : configuration.model.path)
  }

  /// Whether the method changes the base weights.
  var changesBase: Bool { rule.wirePlan(round: 1).base != .none }
}

/// Refuses clients of several adapter ranks for a method that needs one.
public func requireAdapterRanksThatFitMethod(_ configuration: RunConfiguration) throws {
  let ranks = configuration.adapter.rank.distinct
  let rule = try AggregationRules.rule(named: configuration.method.name.rawValue)
  guard ranks.count > 1, let reason = rule.reasonForOneAdapterRank else { return }
  let others = AggregationRules.all.filter { $0.reasonForOneAdapterRank == nil }.map(\.name)
  throw ConfigurationError(
    keyPath: "adapter.rank",
    problem: "expected one adapter rank for \(rule.name) (\(reason)), "
      + "found \(ranks.map(String.init).joined(separator: ", ")); \(others.joined(separator: ", ")) take several"
  )
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

/// Checks that a data set was made for this model (its tokeniser, vocabulary, segments and positions), and that no
/// answer would be cut.
public func requireFit(
  _ dataset: Dataset, to pretrained: PretrainedModel, modelPath: String, maximumLength: Int
) throws {
  try dataset.requireRows(atMost: maximumLength)
  let tokenizer = modelPath + "/tokenizer.json"
  if FileManager.default.fileExists(atPath: tokenizer) {
    try dataset.requireTokenizer(sha256: SHA256.hexDigest(ofFileAt: tokenizer))
  }
  try dataset.requireTokens(below: pretrained.vocabularySize)
  // A model without token types computes the same whatever the tokeniser calls them.
  if pretrained.tokenTypeCount > 0 { try dataset.requireTokenTypes(below: pretrained.tokenTypeCount) }
  try pretrained.requirePositions(tokenCount: min(maximumLength, dataset.longestRow))
}

extension RunConfiguration.Adapter {
  /// The settings of an adapter of one of the configuration's ranks.
  func peft(
    task: PEFTConfiguration.Task = .sequenceClassification, adapterRank: Int, baseModel: String? = nil
  ) -> PEFTConfiguration {
    PEFTConfiguration(
      task: task, adapterRank: adapterRank, alpha: alpha, targets: targets, dropout: dropout,
      isRankStabilised: rslora,
      baseModel: baseModel)
  }
}
