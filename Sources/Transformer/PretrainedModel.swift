public import Adapters
internal import Safetensors

/// A checkpoint of a supported architecture, opened but not yet given a task or an adapter.
public struct PretrainedModel: Sendable {
  /// The values of `model_type` that can be loaded.
  public static let supportedArchitectures =
    BERTConfiguration.Kind.allCases.map(\.rawValue) + LLaMAConfiguration.Kind.allCases.map(\.rawValue)

  /// What a model can be trained for.
  public enum Task: String, Sendable, CaseIterable {
    /// A label for a sequence: `classifier(layout:)`.
    case classification
    /// The next tokens of a sequence: `languageModel(layout:)`.
    case languageModel
  }

  public let folder: ModelFolder
  let architecture: any Architecture

  /// Opens a Hugging Face folder; refuses architectures and settings that are not implemented.
  public init(path: String, precision: Precision = .float32) throws {
    folder = try ModelFolder(path: path, precision: precision)
    architecture = try Self.architecture(of: folder)
    try requireNoFurtherBlocks()
  }

  private static func architecture(of folder: ModelFolder) throws -> any Architecture {
    let type: String = try folder.configuration.value("model_type")
    if let kind = BERTConfiguration.Kind(rawValue: type) { return try BERTArchitecture(folder, kind) }
    if let kind = LLaMAConfiguration.Kind(rawValue: type) { return try LLaMAArchitecture(folder, kind) }
    throw ModelError.unknownArchitecture(
      type, path: folder.configuration.path, supported: supportedArchitectures)
  }

  /// Refuses a checkpoint with blocks that the configuration does not count: it would be another model.
  private func requireNoFurtherBlocks() throws {
    let path = architecture.storedName(architecture.blockPath)
    for name in folder.weights.names where name.hasPrefix(path) {
      let index = Int(name.dropFirst(path.count).prefix { $0.isNumber })
      guard let index, index >= architecture.blockCount else { continue }
      throw folder.configuration.wrongValue(
        "num_hidden_layers", expected: "all layers of the checkpoint, which has the tensor \(name)",
        found: "\(architecture.blockCount)")
    }
  }

  /// What this model can be trained for.
  public var tasks: Set<Task> { architecture.tasks }

  /// Refuses a task that this model is not for.
  public func require(_ task: Task) throws {
    guard !tasks.contains(task) else { return }
    let type: String = try folder.configuration.value("model_type")
    let wanted =
      switch task {
      case .classification: "an encoder, for a classifier"
      case .languageModel: "a decoder, for a language model"
      }
    throw folder.configuration.wrongValue("model_type", expected: wanted, found: "\"\(type)\"")
  }

  /// Refuses a checkpoint that lacks a weight or has one of another shape.
  public func requireWeights() throws {
    func bare(_ head: [HeadTensor]) -> AdapterLayout {
      AdapterLayout(layers: [], head: head, headMode: .frozen)
    }
    if tasks.contains(.classification) { _ = try classifier(layout: bare(headTensors(labelCount: 1))) }
    if tasks.contains(.languageModel) { _ = try languageModel(layout: bare([])) }
  }

  public var vocabularySize: Int { architecture.vocabularySize }

  /// The longest sequence that has positions.
  public var positionCount: Int { architecture.positionCount }

  /// Refuses sequences of `tokenCount` tokens if they have no positions.
  public func requirePositions(tokenCount: Int) throws(ModelError) {
    guard tokenCount <= positionCount else {
      throw .sequenceTooLong(tokens: tokenCount, limit: positionCount)
    }
  }

  public var hiddenSize: Int { architecture.hiddenSize }

  /// The number of token types (segments); 0 where there are none.
  public var tokenTypeCount: Int { architecture.tokenTypeCount }

  /// The adapted layers in the order of the model. A target names, as in PEFT, every linear layer of the
  /// blocks whose path is the target or ends in `.target`: `query`, `attention.output.dense`,
  /// `0.output.dense`; `q_proj`, `mlp.gate_proj`.
  public func adaptedLayers(
    targets: [String], adapterRank: Int, scaling: Float
  ) throws(ModelError) -> [AdaptedLayer] {
    let available = adaptableLayers
    for target in targets where !available.contains(where: { $0.name.isNamed(by: target) }) {
      throw .noLayerNamed(target: target, available: architecture.blockLayers.map(\.name))
    }
    let chosen = available.filter { layer in targets.contains { layer.name.isNamed(by: $0) } }
    for layer in chosen where adapterRank > min(layer.outputs, layer.inputs) {
      throw .adapterRankTooLarge(
        rank: adapterRank, layer: layer.name, outputs: layer.outputs, inputs: layer.inputs)
    }
    return chosen.map {
      AdaptedLayer(
        name: $0.name, outputs: $0.outputs, inputs: $0.inputs, adapterRank: adapterRank, scaling: scaling)
    }
  }

  /// The shortest names of the layers of a block: what a user would write as targets.
  public var targetNames: [String] {
    architecture.blockLayers.map { layer in
      architecture.shortenedPaths.reduce(layer.name) { $0.replacing($1, with: "") }
    }
  }

  /// The targets of most adapters: the layers that make queries and values.
  public var usualTargets: [String] { [targetNames[0], targetNames[2]] }

  private var adaptableLayers: [LinearShape] {
    (0..<architecture.blockCount).flatMap { index in
      architecture.blockLayers.map {
        (name: "\(architecture.blockPath)\(index).\($0.name)", outputs: $0.outputs, inputs: $0.inputs)
      }
    }
  }

  /// A copy of the checkpoint's weights of the layers of `layout`, to be changed.
  public func baseWeights(layout: AdapterLayout) throws -> BaseWeights {
    var values: [Float] = []
    values.reserveCapacity(layout.baseCount)
    for slot in layout.layers {
      try folder.matrix(weightName(of: slot), rows: slot.layer.outputs, columns: slot.layer.inputs)
        .appendElements(to: &values)
    }
    return BaseWeights(layout: layout, values: values)
  }

  /// The name of a layer's weight in the checkpoint's file.
  func weightName(of slot: LayerSlot) -> String { architecture.storedName(slot.layer.name) + ".weight" }

  /// The tensors of a classifier's head over `labelCount` labels.
  public func headTensors(labelCount: Int) -> [HeadTensor] {
    architecture.headLayers(labelCount: labelCount).flatMap {
      [
        HeadTensor(name: $0.name + ".weight", shape: [$0.outputs, $0.inputs]),
        HeadTensor(name: $0.name + ".bias", shape: [$0.outputs]),
      ]
    }
  }

  /// An adapter's start: seeded factors, and the checkpoint's own head where it has one of this shape.
  public func start(layout: AdapterLayout, seed: UInt64) throws -> AdapterParameters {
    var parameters = AdapterParameters.start(layout: layout, seed: seed)
    guard hasHead(layout.head) else { return parameters }
    for slot in layout.head { parameters[slot] = try folder.weights.floatArray(named: slot.name)[...] }
    return parameters
  }

  /// The checkpoint's own classifier, without an adapter.
  ///
  /// - Throws: `ModelError.noHead` when the checkpoint has no head for `labelCount` labels.
  public func ownClassifier(labelCount: Int) throws -> AdapterParameters {
    let layout = AdapterLayout(layers: [], head: headTensors(labelCount: labelCount), headMode: .frozen)
    guard hasHead(layout.head) else {
      let found = folder.weights[layout.head.last!.name]?.shape.first
      throw ModelError.noHead(path: folder.weights.path, labels: labelCount, found: found)
    }
    return try start(layout: layout, seed: 0)
  }

  private func hasHead(_ head: [TensorSlot]) -> Bool {
    head.allSatisfy { folder.weights[$0.name]?.shape == $0.shape }
  }

  /// A classifier over this checkpoint with the adapters of `layout`, whose head is the classifier's.
  ///
  /// - Throws: `ModelError.wrongValue` of `model_type` where `tasks` has no classification.
  public func classifier(layout: AdapterLayout) throws -> any ClassificationModel {
    try require(.classification)
    return try architecture.classifier(folder, layout)
  }

  /// A language model over this checkpoint with the adapters of `layout`, which has no head.
  ///
  /// - Throws: `ModelError.wrongValue` of `model_type` where `tasks` has no language model.
  public func languageModel(layout: AdapterLayout) throws -> any LanguageModel {
    try require(.languageModel)
    return try architecture.languageModel(folder, layout)
  }
}

extension String {
  /// Whether a PEFT target names this module path.
  func isNamed(by target: String) -> Bool { self == target || hasSuffix("." + target) }
}
