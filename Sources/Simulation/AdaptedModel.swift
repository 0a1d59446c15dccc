internal import Adapters
internal import ClientData
internal import Transformer

/// A checkpoint, with or without a PEFT adapter, opened for one split of a data set.
struct AdaptedModel: Sendable {
  let split: DatasetSplit
  let task: ModelTask
  let model: TaskModel
  let parameters: AdapterParameters
  let maximumLength: Int

  /// What is opened, as a user names it.
  struct Names {
    let model: String
    /// Nil for the checkpoint alone.
    let adapter: String?
    let split: String
  }

  /// Opens and checks it all; rows are cut to `maximumLength` tokens (nil: as prepared).
  init(
    _ names: Names, _ dataset: Dataset, maximumLength: Int?, precision: Precision, maximumNewTokens: Int
  ) throws {
    let pretrained = try PretrainedModel(path: names.model, precision: precision)
    self.maximumLength = maximumLength ?? dataset.description.maximumLength
    split = try dataset.split(names.split)
    task = try ModelTask(dataset, splits: [names.split], pretrained, maximumNewTokens: maximumNewTokens)
    try requireFit(dataset, to: pretrained, modelPath: names.model, maximumLength: self.maximumLength)
    parameters = try Self.parameters(names.adapter, pretrained, task)
    model = try task.model(pretrained, parameters.layout)
  }

  private static func parameters(
    _ adapterPath: String?, _ pretrained: PretrainedModel, _ task: ModelTask
  ) throws -> AdapterParameters {
    guard let adapterPath else { return try task.withoutAdapter(pretrained) }
    let peft = try PEFTConfiguration(folder: adapterPath)
    let layout = AdapterLayout(
      layers: try pretrained.adaptedLayers(
        targets: peft.targets, adapterRank: peft.adapterRank, scaling: peft.scaling),
      head: task.head(of: pretrained), headMode: .shared)
    return try PEFTAdapter.read(folder: adapterPath, layout: layout)
  }
}

extension ModelTask {
  /// The checkpoint's own model of the task.
  fileprivate func withoutAdapter(_ pretrained: PretrainedModel) throws -> AdapterParameters {
    switch self {
    case .classification(let labelCount): try pretrained.ownClassifier(labelCount: labelCount)
    case .generation:
      AdapterParameters(layout: AdapterLayout(layers: [], head: [], headMode: .frozen))
    }
  }
}

extension DatasetSplit {
  /// At most `limit` rows, spread evenly over the split; nil: all.
  func spreadRows(limit: Int?) -> [Int] {
    guard let limit, limit < rowCount else { return Array(0..<rowCount) }
    return (0..<limit).map { $0 * rowCount / limit }
  }
}
