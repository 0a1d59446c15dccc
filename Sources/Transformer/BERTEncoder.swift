internal import Adapters
internal import LinearAlgebra

/// BERT's encoder (Devlin et al. 2018) as Hugging Face stores it, with adapters in its linear layers.
struct BERTEncoder: Encoder {
  let shape: BERTConfiguration
  private let embeddings: BERTEmbeddings
  private let layers: [BERTLayer]
  /// The index of the lowest block with an adapter: backward passes end there.
  private let lowestAdapted: Int

  /// One tape a block from the lowest adapted one upwards.
  typealias Tape = [BERTLayer.Tape]

  var hiddenSize: Int { shape.hiddenSize }

  /// `prefix` is what stands before the tensors' names in the file: `bert.` or nothing.
  init(_ folder: ModelFolder, _ shape: BERTConfiguration, prefix: String, layout: AdapterLayout) throws {
    self.shape = shape
    embeddings = try BERTEmbeddings(folder, shape, prefix: prefix)
    layers = try (0..<shape.layerCount).map { index in
      try BERTLayer(folder, shape, prefix: prefix, index: index, layout: layout)
    }
    lowestAdapted = layers.firstIndex { $0.isAdapted } ?? layers.count
  }

  func forward(
    _ batch: TokenBatch, reading: ReadTokens?, _ pass: Pass
  ) -> (hidden: MatrixView<Float>, tape: Tape) {
    var x = embeddings.forward(batch, pass)
    var tapes = Tape()
    for (index, layer) in layers.enumerated() {
      let tokens = BERTLayer.Tokens(
        offsets: batch.offsets, reading: index == layers.count - 1 ? reading : nil)
      if pass.gradient != nil, index >= lowestAdapted {
        let (y, tape) = pass.block { layer.forward(x, tokens, pass) }
        tapes.append(tape)
        x = y
      } else {
        x = forwardWithoutTape(layer, x, tokens, pass)
      }
    }
    return (x, tapes)
  }

  /// Writes the block's result over a buffer of its own and releases everything else.
  private func forwardWithoutTape(
    _ layer: BERTLayer, _ x: MatrixView<Float>, _ tokens: BERTLayer.Tokens, _ pass: Pass
  ) -> MatrixView<Float> {
    let result = pass.arena.matrix(rows: tokens.reading?.tokens.count ?? x.rows, columns: x.columns)
    let mark = pass.arena.mark
    defer { pass.arena.release(to: mark) }
    let y = pass.block { layer.forward(x, tokens, pass).y }
    result.base.update(from: y.base, count: y.rows * y.columns)
    return result.view
  }

  func backward(_ dHidden: MatrixView<Float>, _ tape: Tape, _ pass: Pass) {
    var dy = dHidden
    for index in stride(from: layers.count - 1, through: lowestAdapted, by: -1) {
      guard
        let dx = pass.block({
          layers[index].backward(dy, tape[index - lowestAdapted], wantsInput: index > lowestAdapted, pass)
        })
      else { return }
      dy = dx.view
    }
  }
}

extension BERTEncoder {
  /// The linear layers of one block that can be adapted: name inside the block, outputs, inputs.
  static func blockLayers(_ shape: BERTConfiguration) -> [(name: String, outputs: Int, inputs: Int)] {
    let (h, f) = (shape.hiddenSize, shape.feedForwardSize)
    return [
      ("attention.self.query", h, h), ("attention.self.key", h, h), ("attention.self.value", h, h),
      ("attention.output.dense", h, h), ("intermediate.dense", f, h), ("output.dense", h, f),
    ]
  }
}

extension BERTLayer {
  /// Block `index`; a layer is adapted when the layout has a slot under its name in the model.
  init(
    _ folder: ModelFolder, _ shape: BERTConfiguration, prefix: String, index: Int, layout: AdapterLayout
  ) throws {
    let block = "encoder.layer.\(index)."
    func linear(_ name: String) throws -> AdaptedLinear {
      let (_, outputs, inputs) = BERTEncoder.blockLayers(shape).first { $0.name == name }!
      return try AdaptedLinear(
        folder, prefix + block + name, outputs: outputs, inputs: inputs, slot: layout["bert." + block + name])
    }
    func norm(_ name: String) throws -> LayerNorm {
      try LayerNorm(folder, prefix + block + name, width: shape.hiddenSize, epsilon: shape.epsilon)
    }
    self.init(
      query: try linear("attention.self.query"), key: try linear("attention.self.key"),
      value: try linear("attention.self.value"),
      attention: SelfAttention(heads: shape.headCount, headSize: shape.hiddenSize / shape.headCount),
      attentionOutput: try linear("attention.output.dense"),
      attentionNorm: try norm("attention.output.LayerNorm"),
      intermediate: try linear("intermediate.dense"), activation: shape.activation,
      output: try linear("output.dense"), outputNorm: try norm("output.LayerNorm"))
  }
}
