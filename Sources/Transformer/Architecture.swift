internal import Adapters

/// A linear layer's name, and rows and columns of its weight.
typealias LinearShape = (name: String, outputs: Int, inputs: Int)

/// What a kind of model is made of, as far as adapters and tasks have to know: its names and sizes.
protocol Architecture: Sendable {
  var hiddenSize: Int { get }
  var vocabularySize: Int { get }
  /// The longest sequence that has positions.
  var positionCount: Int { get }
  /// 0 where there are no token types.
  var tokenTypeCount: Int { get }
  var blockCount: Int { get }
  /// The linear layers of one block that can be adapted, by their names inside the block; those of queries, keys and
  /// values come first.
  var blockLayers: [LinearShape] { get }
  /// What stands before a block's number in the names of its layers, as PEFT names them.
  var blockPath: String { get }
  /// What of a block's layers' names can be left out.
  var shortenedPaths: [String] { get }
  var tasks: Set<PretrainedModel.Task> { get }

  /// What the checkpoint's files call what the model calls `name`.
  func storedName(_ name: String) -> String

  /// The linear layers of a classifier's head that are trained, in the order of the computation.
  func headLayers(labelCount: Int) -> [LinearShape]
  func classifier(_ folder: ModelFolder, _ layout: AdapterLayout) throws -> any ClassificationModel
  func languageModel(_ folder: ModelFolder, _ layout: AdapterLayout) throws -> any LanguageModel
}

extension Architecture {
  // Only asked for where `tasks` has them.

  func headLayers(labelCount: Int) -> [LinearShape] { [] }

  func classifier(_ folder: ModelFolder, _ layout: AdapterLayout) throws -> any ClassificationModel {
    preconditionFailure("no classifier of \(folder.path)")
  }

  func languageModel(_ folder: ModelFolder, _ layout: AdapterLayout) throws -> any LanguageModel {
    preconditionFailure("no language model of \(folder.path)")
  }
}

/// BERT (Devlin et al. 2018) and what is built like it.
struct BERTArchitecture: Architecture {
  let shape: BERTConfiguration
  /// What stands before the encoder's tensors in the file: a bare encoder has no prefix.
  let prefix: String

  init(_ folder: ModelFolder, _ kind: BERTConfiguration.Kind) throws {
    shape = try BERTConfiguration(folder.configuration, kind)
    let prefix = kind.encoderName + "."
    self.prefix = folder.weights[prefix + "embeddings.word_embeddings.weight"] == nil ? "" : prefix
  }

  var hiddenSize: Int { shape.hiddenSize }
  var vocabularySize: Int { shape.vocabularySize }
  var positionCount: Int { shape.positionCount }
  var tokenTypeCount: Int { shape.tokenTypeCount }
  var blockCount: Int { shape.layerCount }
  var blockLayers: [LinearShape] { Self.blockLayers(shape) }
  var blockPath: String { shape.kind.encoderName + ".encoder.layer." }
  var shortenedPaths: [String] { [shape.kind.attention.path] }
  var tasks: Set<PretrainedModel.Task> { [.classification] }

  static func blockLayers(_ shape: BERTConfiguration) -> [LinearShape] {
    let (h, f) = (shape.hiddenSize, shape.feedForwardSize)
    let names = shape.kind.attention
    return [
      (names.query, h, h), (names.key, h, h), (names.value, h, h), (names.output, h, h),
      ("intermediate.dense", f, h), ("output.dense", h, f),
    ]
  }

  func storedName(_ name: String) -> String { prefix + name.dropFirst(shape.kind.encoderName.count + 1) }

  func headLayers(labelCount: Int) -> [LinearShape] {
    switch shape.kind.head {
    case .pooled(let output): [(output, labelCount, hiddenSize)]
    case .dense(let dense, let output): [(dense, hiddenSize, hiddenSize), (output, labelCount, hiddenSize)]
    }
  }

  func classifier(_ folder: ModelFolder, _ layout: AdapterLayout) throws -> any ClassificationModel {
    let (pooler, output) = try head(folder, layout)
    return SequenceClassifier(
      encoder: try BERTEncoder(folder, shape, prefix: prefix, layout: layout), pooler: pooler, output: output,
      layout: layout, folder: folder)
  }

  private func head(_ folder: ModelFolder, _ layout: AdapterLayout) throws -> (Pooler, output: HeadLinear) {
    switch shape.kind.head {
    case .pooled(let output):
      let pooler = try AdaptedLinear(
        folder, prefix + "pooler.dense", outputs: hiddenSize, inputs: hiddenSize, slot: nil)
      return (.frozen(pooler), HeadLinear(output, layout))
    case .dense(let dense, let output):
      return (.trained(HeadLinear(dense, layout)), HeadLinear(output, layout))
    }
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
  var blockLayers: [LinearShape] { Self.blockLayers(shape) }
  var blockPath: String { "model.layers." }
  var shortenedPaths: [String] { ["self_attn.", "mlp."] }
  var tasks: Set<PretrainedModel.Task> { [.languageModel] }

  static func blockLayers(_ shape: LLaMAConfiguration) -> [LinearShape] {
    let (h, f) = (shape.hiddenSize, shape.feedForwardSize)
    let (q, kv) = (shape.headCount * shape.headSize, shape.keyValueHeadCount * shape.headSize)
    return [
      ("self_attn.q_proj", q, h), ("self_attn.k_proj", kv, h), ("self_attn.v_proj", kv, h),
      ("self_attn.o_proj", h, q), ("mlp.gate_proj", f, h), ("mlp.up_proj", f, h), ("mlp.down_proj", h, f),
    ]
  }

  func storedName(_ name: String) -> String { name }

  func languageModel(_ folder: ModelFolder, _ layout: AdapterLayout) throws -> any LanguageModel {
    let decoder = try LLaMADecoder(folder, shape, layout: layout)
    let output =
      shape.tiesOutput
      ? decoder.words
      : try folder.matrix("lm_head.weight", rows: shape.vocabularySize, columns: shape.hiddenSize)
    return CausalLanguageModel(decoder: decoder, output: output, layout: layout, folder: folder)
  }
}
