public import Adapters
internal import LinearAlgebra
internal import Safetensors

/// A checkpoint of a supported architecture, opened but not yet given a task or an adapter.
public struct PretrainedModel: Sendable {
  /// The values of `model_type` that can be loaded.
  public static let supportedArchitectures = ["bert"]

  public let folder: ModelFolder
  let shape: BERTConfiguration
  /// What stands before the encoder's tensors in the file: a bare BertModel has no prefix.
  let prefix: String

  /// Opens a Hugging Face folder; refuses architectures and settings that are not implemented.
  public init(path: String, precision: Precision = .float32) throws {
    folder = try ModelFolder(path: path, precision: precision)
    let architecture: String = try folder.value("model_type")
    guard Self.supportedArchitectures.contains(architecture) else {
      throw ModelError.unknownArchitecture(
        architecture, path: folder.configurationPath, supported: Self.supportedArchitectures)
    }
    shape = try BERTConfiguration(folder)
    prefix = folder.file["bert.embeddings.word_embeddings.weight"] == nil ? "" : "bert."
  }

  public var vocabularySize: Int { shape.vocabularySize }

  /// The longest sequence that has positions.
  public var positionCount: Int { shape.positionCount }

  /// Refuses sequences of `tokenCount` tokens if they have no positions.
  public func requirePositions(tokenCount: Int) throws(ModelError) {
    guard tokenCount <= positionCount else {
      throw .sequenceTooLong(tokens: tokenCount, limit: positionCount)
    }
  }

  public var hiddenSize: Int { shape.hiddenSize }

  /// The number of token types (segments).
  public var tokenTypeCount: Int { shape.tokenTypeCount }

  /// The adapted layers in the order of the model. A target names, as in PEFT, every linear layer of the
  /// blocks whose path is the target or ends in `.target`: `query`, `attention.output.dense`,
  /// `0.output.dense`.
  public func adaptedLayers(
    targets: [String], adapterRank: Int, scaling: Float
  ) throws(ModelError) -> [AdaptedLayer] {
    let available = adaptableLayers
    for target in targets where !available.contains(where: { $0.name.isNamed(by: target) }) {
      throw .noLayerNamed(target: target, available: BERTEncoder.blockLayers(shape).map(\.name))
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
    BERTEncoder.blockLayers(shape).map { $0.name.replacing("attention.self.", with: "") }
  }

  private var adaptableLayers: [(name: String, outputs: Int, inputs: Int)] {
    (0..<shape.layerCount).flatMap { index in
      BERTEncoder.blockLayers(shape).map {
        (name: "bert.encoder.layer.\(index).\($0.name)", outputs: $0.outputs, inputs: $0.inputs)
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
  func weightName(of slot: LayerSlot) -> String {
    prefix + slot.layer.name.dropFirst("bert.".count) + ".weight"
  }

  /// The tensors of a classifier's head over `labelCount` labels.
  public func headTensors(labelCount: Int) -> [HeadTensor] {
    [
      HeadTensor(name: "classifier.weight", shape: [labelCount, shape.hiddenSize]),
      HeadTensor(name: "classifier.bias", shape: [labelCount]),
    ]
  }

  /// An adapter's start: seeded factors, and the checkpoint's own head where it has one of this shape.
  public func start(layout: AdapterLayout, seed: UInt64) throws -> AdapterParameters {
    var parameters = AdapterParameters.start(layout: layout, seed: seed)
    guard hasHead(layout.head) else { return parameters }
    for slot in layout.head { parameters[slot] = try folder.file.floatArray(named: slot.name)[...] }
    return parameters
  }

  /// The checkpoint's own classifier, without an adapter.
  ///
  /// - Throws: `ModelError.noHead` when the checkpoint has no head for `labelCount` labels.
  public func ownClassifier(labelCount: Int) throws -> AdapterParameters {
    let layout = AdapterLayout(layers: [], head: headTensors(labelCount: labelCount), headMode: .frozen)
    guard hasHead(layout.head) else {
      let found = folder.file[layout.head[0].name]?.shape.first
      throw ModelError.noHead(path: folder.file.path, labels: labelCount, found: found)
    }
    return try start(layout: layout, seed: 0)
  }

  private func hasHead(_ head: [TensorSlot]) -> Bool {
    head.allSatisfy { folder.file[$0.name]?.shape == $0.shape }
  }

  /// A classifier over this checkpoint with the adapters of `layout`, whose head is the classifier's.
  public func classifier(layout: AdapterLayout) throws -> any ClassificationModel {
    try SequenceClassifier(
      encoder: BERTEncoder(folder, shape, prefix: prefix, layout: layout),
      pooler: AdaptedLinear(
        folder, prefix + "pooler.dense", outputs: shape.hiddenSize, inputs: shape.hiddenSize, slot: nil),
      layout: layout, folder: folder)
  }
}

extension String {
  /// Whether a PEFT target names this module path.
  fileprivate func isNamed(by target: String) -> Bool { self == target || hasSuffix("." + target) }
}
