internal import Adapters
internal import LinearAlgebra

/// An encoder of BERT's architecture (Devlin et al. 2018) as Hugging Face stores it, with adapters in its linear
/// layers.
struct BERTEncoder: Encoder {
  let shape: BERTConfiguration
  private let embeddings: BERTEmbeddings
  private let stack: BlockStack<BERTLayer>

  typealias Tape = BlockStack<BERTLayer>.Tape

  var hiddenSize: Int { shape.hiddenSize }

  /// `prefix` is what stands before the tensors' names in the file: `bert.` or `roberta.`, say, or nothing.
  init(_ folder: ModelFolder, _ shape: BERTConfiguration, prefix: String, layout: AdapterLayout) throws {
    self.shape = shape
    embeddings = try BERTEmbeddings(folder, shape, prefix: prefix)
    let bias = try shape.kind.hasRelativeBias ? RelativeBias(folder, shape, prefix: prefix) : nil
    stack = BlockStack(
      try (0..<shape.layerCount).map { index in
        try BERTLayer(folder, shape, prefix: prefix, index: index, relativeBias: bias, layout: layout)
      })
  }

  func forward(
    _ batch: TokenBatch, reading: ReadTokens?, _ pass: Pass
  ) -> (hidden: MatrixView<Float>, tape: Tape) {
    let all = BlockTokens(batch.offsets, reading: nil)
    let read = reading.map { BlockTokens(batch.offsets, reading: $0) } ?? all
    return stack.forward(embeddings.forward(batch, pass), pass) { stack.isLast($0) ? read : all }
  }

  func backward(_ dHidden: MatrixView<Float>, _ tape: Tape, _ pass: Pass) {
    stack.backward(dHidden, tape, pass)
  }
}

extension RelativeBias {
  /// The one that all blocks of an encoder share.
  init(_ folder: ModelFolder, _ shape: BERTConfiguration, prefix: String) throws {
    self.init(
      try folder.matrix(
        prefix + "encoder.relative_attention_bias.weight", rows: Self.bucketCount, columns: shape.headCount),
      positionCount: shape.positionCount)
  }
}

extension BERTLayer {
  /// Block `index`; a layer is adapted when the layout has a slot under its name in the model.
  init(
    _ folder: ModelFolder, _ shape: BERTConfiguration, prefix: String, index: Int,
    relativeBias: RelativeBias?,
    layout: AdapterLayout
  ) throws {
    let block = "encoder.layer.\(index)."
    let model = shape.kind.encoderName + "."
    let names = shape.kind.attention
    func linear(_ name: String) throws -> AdaptedLinear {
      let (_, outputs, inputs) = BERTArchitecture.blockLayers(shape).first { $0.name == name }!
      return try AdaptedLinear(
        folder, prefix + block + name, outputs: outputs, inputs: inputs, slot: layout[model + block + name])
    }
    func norm(_ name: String) throws -> LayerNorm {
      try LayerNorm(folder, prefix + block + name, width: shape.hiddenSize, epsilon: shape.epsilon)
    }
    self.init(
      attention: AttentionProjections(
        query: try linear(names.query), key: try linear(names.key), value: try linear(names.value),
        attention: SelfAttention(
          heads: shape.headCount, keyValueHeads: shape.headCount,
          headSize: shape.hiddenSize / shape.headCount, relativeBias: relativeBias),
        output: try linear(names.output)),
      attentionNorm: try norm(names.norm),
      intermediate: try linear("intermediate.dense"), activation: shape.activation,
      output: try linear("output.dense"), outputNorm: try norm("output.LayerNorm"))
  }
}
