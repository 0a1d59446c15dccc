internal import Adapters
internal import ClientData
internal import Configuration
internal import Transformer

/// What a model is for: how it is made of a checkpoint, what a batch asks of it, and what is counted.
enum ModelTask: Sendable {
  case classification(labelCount: Int)
  case generation(AnswerJudge)

  var tallyKind: Tally.Kind {
    switch self {
    case .classification(let labelCount): .labels(labelCount)
    case .generation: .answers
    }
  }

  /// What PEFT calls it.
  var peft: PEFTConfiguration.Task {
    switch self {
    case .classification: .sequenceClassification
    case .generation: .causalLanguageModel
    }
  }

  /// The tensors behind the factors that are trained beside them.
  func head(of pretrained: PretrainedModel) -> [HeadTensor] {
    switch self {
    case .classification(let labelCount): pretrained.headTensors(labelCount: labelCount)
    case .generation: []
    }
  }

  /// The frozen model with room for adapters of a layout.
  func model(_ pretrained: PretrainedModel, _ layout: AdapterLayout) throws -> TaskModel {
    switch self {
    case .classification: .classifier(try pretrained.classifier(layout: layout))
    case .generation(let judge): .language(try pretrained.languageModel(layout: layout), judge)
    }
  }
}

extension ModelTask {
  /// The task that data are made for; answers of the splits of these names can be judged.
  ///
  /// - Throws: when the model is for others, or a file that judging needs cannot be read.
  init(
    _ dataset: Dataset, splits: Set<String>, _ pretrained: PretrainedModel, maximumNewTokens: Int
  ) throws {
    switch dataset.description.task {
    case .classification(let labels):
      try pretrained.require(.classification)
      self = .classification(labelCount: labels.count)
    case .generation(_, let stopTokens):
      try pretrained.require(.languageModel)
      self = .generation(
        try AnswerJudge(
          dataset, splits: splits, stopTokens: stopTokens, modelPath: pretrained.folder.path,
          maximumNewTokens: maximumNewTokens))
    }
  }

  /// A run's.
  ///
  /// - Throws: when the data are made for another task than the configuration names.
  init(_ configuration: RunConfiguration, _ dataset: Dataset, _ pretrained: PretrainedModel) throws {
    let found = RunConfiguration.Task(dataset.description.task)
    guard configuration.model.task == found else {
      throw ConfigurationError(
        keyPath: "model.task",
        problem: "expected \(found.rawValue), which the data in \(dataset.folder) are made for, "
          + "found \(configuration.model.task.rawValue)")
    }
    let settings = configuration.evaluate
    try self.init(
      dataset, splits: settings.personalised ? ["train", "test"] : ["test"], pretrained,
      maximumNewTokens: settings.maximumNewTokens)
  }
}

extension RunConfiguration.Task {
  init(_ task: DatasetDescription.Task) {
    switch task {
    case .classification: self = .classification
    case .generation: self = .generation
    }
  }
}

/// A model that does a task.
enum TaskModel: Sendable {
  case classifier(any ClassificationModel)
  case language(any LanguageModel, AnswerJudge)

  var trainable: any TrainableModel {
    switch self {
    case .classifier(let model): model
    case .language(let model, _): model
    }
  }
}

extension TokenBatch {
  /// Packed rows and what they ask for.
  init(_ packed: PackedBatch) {
    let targets: Targets =
      packed.promptLengths.isEmpty
      ? .labels(packed.labels) : .answers(promptLengths: packed.promptLengths.map { Int($0) })
    self.init(tokens: packed.tokens, tokenTypes: packed.tokenTypes, offsets: packed.offsets, targets: targets)
  }
}
