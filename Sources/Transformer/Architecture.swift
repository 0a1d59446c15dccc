internal import Adapters

/// What a kind of model is made of, as far as adapters and tasks have to know: its names and sizes.
protocol Architecture: Sendable {
  var hiddenSize: Int { get }
  var vocabularySize: Int { get }
  /// The longest sequence that has positions.
  var positionCount: Int { get }
  /// 0 where there are no token types.
  var tokenTypeCount: Int { get }
  var blockCount: Int { get }
  /// The linear layers of one block that can be adapted: name inside the block, outputs, inputs.
  var blockLayers: [(name: String, outputs: Int, inputs: Int)] { get }
  /// What stands before a block's number in the names of its layers, as PEFT names them.
  var blockPath: String { get }
  /// What of a block's layers' names can be left out.
  var shortenedPaths: [String] { get }
  var tasks: Set<PretrainedModel.Task> { get }

  /// The name of a layer's weight in the checkpoint.
  func weightName(of slot: LayerSlot) -> String

  func classifier(_ folder: ModelFolder, _ layout: AdapterLayout) throws -> any ClassificationModel
  func languageModel(_ folder: ModelFolder, _ layout: AdapterLayout) throws -> any LanguageModel
}

extension Architecture {
  // Only asked for where `tasks` has them.

  func classifier(_ folder: ModelFolder, _ layout: AdapterLayout) throws -> any ClassificationModel {
    preconditionFailure("no classifier of \(folder.path)")
  }

  func languageModel(_ folder: ModelFolder, _ layout: AdapterLayout) throws -> any LanguageModel {
    preconditionFailure("no language model of \(folder.path)")
  }
}

/// BERT (Devlin et al. 2018).
struct BERTArchitecture: Architecture {
  static let modelType = "bert"

  let shape: BERTConfiguration
  /// What stands before the encoder's tensors in the file: a bare BertModel has no prefix.
  let prefix: String

  init(_ folder: ModelFolder) throws {
    shape = try BERTConfiguration(folder.configuration)
    prefix = folder.weights["bert.embeddings.word_embeddings.weight"] == nil ? "" : "bert."
  }

  var hiddenSize: Int { shape.hiddenSize }
  var vocabularySize: Int { shape.vocabularySize }
  var positionCount: Int { shape.positionCount }
  var tokenTypeCount: Int { shape.tokenTypeCount }
  var blockCount: Int { shape.layerCount }
  var blockLayers: [(name: String, outputs: Int, inputs: Int)] { Self.blockLayers(shape) }
  var blockPath: String { "bert.encoder.layer." }
  var shortenedPaths: [String] { ["attention.self."] }
  var tasks: Set<PretrainedModel.Task> { [.classification] }

  static func blockLayers(_ shape: BERTConfiguration) -> [(name: String, outputs: Int, inputs: Int)] {
    let (h, f) = (shape.hiddenSize, shape.feedForwardSize)
    return [
      ("attention.self.query", h, h), ("attention.self.key", h, h), ("attention.self.value", h, h),
      ("attention.output.dense", h, h), ("intermediate.dense", f, h), ("output.dense", h, f),
    ]
  }

  func weightName(of slot: LayerSlot) -> String {
    prefix + slot.layer.name.dropFirst("bert.".count) + ".weight"
  }

  func classifier(_ folder: ModelFolder, _ layout: AdapterLayout) throws -> any ClassificationModel {
    try SequenceClassifier(
      encoder: BERTEncoder(folder, shape, prefix: prefix, layout: layout),
      pooler: AdaptedLinear(
        folder, prefix + "pooler.dense", outputs: shape.hiddenSize, inputs: shape.hiddenSize, slot: nil),
      layout: layout, folder: folder)
  }
}

/// LLaMA (Touvron et al. 2023) and what is built like it.
struct LLaMAArchitecture: Architecture {
  let shape: LLaMAConfiguration
  let kind: LLaMAConfiguration.Kind

  init(_ folder: ModelFolder, _ kind: LLaMAConfiguration.Kind) throws {
    shape = try LLaMAConfiguration(folder.configuration, kind)
    self.kind = kind
  }

  var hiddenSize: Int { shape.hiddenSize }
  var vocabularySize: Int { shape.vocabularySize }
  var positionCount: Int { shape.positionCount }
  var tokenTypeCount: Int { 0 }
  var blockCount: Int { shape.layerCount }
  var blockLayers: [(name: String, outputs: Int, inputs: Int)] { Self.blockLayers(shape) }
  var blockPath: String { "model.layers." }
  var shortenedPaths: [String] { ["self_attn.", "mlp."] }
  var tasks: Set<PretrainedModel.Task> { [.languageModel] }

  static func blockLayers(_ shape: LLaMAConfiguration) -> [(name: String, outputs: Int, inputs: Int)] {
    let (h, f) = (shape.hiddenSize, shape.feedForwardSize)
    let (q, kv) = (shape.headCount * shape.headSize, shape.keyValueHeadCount * shape.headSize)
    return [
      ("self_attn.q_proj", q, h), ("self_attn.k_proj", kv, h), ("self_attn.v_proj", kv, h),
      ("self_attn.o_proj", h, q), ("mlp.gate_proj", f, h), ("mlp.up_proj", f, h), ("mlp.down_proj", h, f),
    ]
  }

  func weightName(of slot: LayerSlot) -> String { slot.layer.name + ".weight" }

  func languageModel(_ folder: ModelFolder, _ layout: AdapterLayout) throws -> any LanguageModel {
    let decoder = try LLaMADecoder(folder, shape, layout: layout)
    let output =
      shape.tiesOutput
      ? decoder.words
      : try folder.matrix("lm_head.weight", rows: shape.vocabularySize, columns: shape.hiddenSize)
    return CausalLanguageModel(decoder: decoder, output: output, layout: layout, folder: folder)
  }
}
