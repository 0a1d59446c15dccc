internal import Adapters
internal import ClientData
internal import Foundation
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
    parameters = try Self.parameters(names, pretrained, task)
    model = try task.model(pretrained, parameters.layout)
  }

  private static func parameters(
    _ names: Names, _ pretrained: PretrainedModel, _ task: ModelTask
  ) throws -> AdapterParameters {
    guard let adapterPath = names.adapter else { return try task.withoutAdapter(pretrained) }
    let peft = try PEFTConfiguration(folder: adapterPath)
    try peft.requireBase(names.model, adapterPath: adapterPath)
    let layout = AdapterLayout(
      layers: try pretrained.adaptedLayers(
        targets: peft.targets, adapterRank: peft.adapterRank, scaling: peft.scaling),
      head: task.head(of: pretrained), headMode: .shared)
    return try PEFTAdapter.read(folder: adapterPath, layout: layout)
  }
}

extension PEFTConfiguration {
  /// Refuses another model than the one whose weights the adapter's method has changed and left beside it.
  fileprivate func requireBase(_ modelPath: String, adapterPath: String) throws {
    guard baseModel == PEFTConfiguration.ownBase else { return }
    let own = PEFTConfiguration.ownBasePath(besideAdapterAt: adapterPath)
    let found = URL(fileURLWithPath: modelPath).resolvingSymlinksInPath().path
    guard found != own, FileManager.default.fileExists(atPath: own) else { return }
    throw PEFTError.unsupported(
      key: "base_model_name_or_path", path: adapterPath + "/adapter_config.json",
      expected: "to be used with the model \(own)", found: modelPath)
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
