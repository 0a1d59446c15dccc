internal import Adapters
internal import LinearAlgebra

/// BERT's encoder (Devlin et al. 2018) as Hugging Face stores it, with adapters in its linear layers.
struct BERTEncoder: Encoder {
  let shape: BERTConfiguration
  private let embeddings: BERTEmbeddings
  private let stack: BlockStack<BERTLayer>

  typealias Tape = BlockStack<BERTLayer>.Tape

  var hiddenSize: Int { shape.hiddenSize }

  /// `prefix` is what stands before the tensors' names in the file: `bert.` or nothing.
  init(_ folder: ModelFolder, _ shape: BERTConfiguration, prefix: String, layout: AdapterLayout) throws {
    self.shape = shape
    embeddings = try BERTEmbeddings(folder, shape, prefix: prefix)
    stack = BlockStack(
      try (0..<shape.layerCount).map { index in
        try BERTLayer(folder, shape, prefix: prefix, index: index, layout: layout)
      })
  }

  func forward(
    _ batch: TokenBatch, reading: ReadTokens?, _ pass: Pass
  ) -> (hidden: MatrixView<Float>, tape: Tape) {
    stack.forward(embeddings.forward(batch, pass), pass) { block in
      BlockTokens(batch.offsets, reading: stack.isLast(block) ? reading : nil)
    }
  }

  func backward(_ dHidden: MatrixView<Float>, _ tape: Tape, _ pass: Pass) {
    stack.backward(dHidden, tape, pass)
  }
}

extension BERTLayer {
  /// Block `index`; a layer is adapted when the layout has a slot under its name in the model.
  init(
    _ folder: ModelFolder, _ shape: BERTConfiguration, prefix: String, index: Int, layout: AdapterLayout
  ) throws {
    let block = "encoder.layer.\(index)."
    func linear(_ name: String) throws -> AdaptedLinear {
      let (_, outputs, inputs) = BERTArchitecture.blockLayers(shape).first { $0.name == name }!
      return try AdaptedLinear(
        folder, prefix + block + name, outputs: outputs, inputs: inputs, slot: layout["bert." + block + name])
    }
    func norm(_ name: String) throws -> LayerNorm {
      try LayerNorm(folder, prefix + block + name, width: shape.hiddenSize, epsilon: shape.epsilon)
    }
    self.init(
      attention: AttentionProjections(
        query: try linear("attention.self.query"), key: try linear("attention.self.key"),
        value: try linear("attention.self.value"),
        attention: SelfAttention(
          heads: shape.headCount, keyValueHeads: shape.headCount,
          headSize: shape.hiddenSize / shape.headCount),
        output: try linear("attention.output.dense")),
      attentionNorm: try norm("attention.output.LayerNorm"),
      intermediate: try linear("intermediate.dense"), activation: shape.activation,
      output: try linear("output.dense"), outputNorm: try norm("output.LayerNorm"))
  }
}
