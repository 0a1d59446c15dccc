internal import Adapters
internal import LinearAlgebra

/// A decoder of LLaMA's architecture (Touvron et al. 2023) as Hugging Face stores it, up to its last norm, with
/// adapters in its linear layers.
///
/// Letters: T tokens, of which R are read; h hidden size.
struct LLaMADecoder: Encoder {
  let shape: LLaMAConfiguration
  let words: FrozenMatrix
  private let stack: BlockStack<LLaMALayer>
  private let norm: RMSNorm

  struct Tape {
    let blocks: BlockStack<LLaMALayer>.Tape
    let norm: RMSNorm.Tape
  }

  var hiddenSize: Int { shape.hiddenSize }

  init(_ folder: ModelFolder, _ shape: LLaMAConfiguration, layout: AdapterLayout) throws {
    self.shape = shape
    words = try folder.matrix(
      "model.embed_tokens.weight", rows: shape.vocabularySize, columns: shape.hiddenSize)
    stack = BlockStack(
      try (0..<shape.layerCount).map { try LLaMALayer(folder, shape, index: $0, layout: layout) })
    norm = try RMSNorm(folder, "model.norm", width: shape.hiddenSize, epsilon: shape.epsilon)
  }

  func forward(
    _ batch: TokenBatch, reading: ReadTokens?, _ pass: Pass
  ) -> (hidden: MatrixView<Float>, tape: Tape) {
    let lengths = zip(batch.offsets, batch.offsets.dropFirst()).map { $1 - $0 }
    let table = rotaryTable(positions: lengths.max() ?? 0, pass)
    let positions = lengths.flatMap { (0..<Int32($0)) }
    let keys = zip(batch.offsets, batch.offsets.dropFirst()).map { $0..<$1 }
    return forward(batch.tokens, pass) { block in
      BlockTokens(
        offsets: batch.offsets, positions: positions, keys: keys,
        reading: stack.isLast(block) ? reading : nil, table: table, cache: nil)
    }
  }

  /// `tokens` tells what each block, by its index, has to know of the tokens with these ids.
  func forward(
    _ ids: [Int32], _ pass: Pass, tokens: (Int) -> BlockTokens
  ) -> (hidden: MatrixView<Float>, tape: Tape) {
    let x = pass.arena.matrix(rows: ids.count, columns: words.columns)
    pass.elementwise {
      for (row, id) in ids.enumerated() { words.copyRow(Int(id), to: x.base + row * x.stride) }
    }
    let (last, blocks) = stack.forward(x, pass, tokens: tokens)
    let (hidden, norm) = norm.forward(last, residual: nil, pass, in: pass.arena)
    return (hidden.view, Tape(blocks: blocks, norm: norm))
  }

  func backward(_ dHidden: MatrixView<Float>, _ tape: Tape, _ pass: Pass) {
    guard stack.isAdapted else { return }
    let dLast = pass.arena.matrix(rows: dHidden.rows, columns: dHidden.columns)
    norm.backward(dHidden, tape.norm, skip: nil, into: dLast, pass)
    stack.backward(dLast.view, tape.blocks, pass)
  }

  /// For the positions below `count`.
  func rotaryTable(positions count: Int, _ pass: Pass) -> RotaryTable {
    pass.elementwise {
      RotaryTable(positions: count, headSize: shape.headSize, base: shape.rotaryBase, pass)
    }
  }
}

extension LLaMALayer {
  /// Block `index`; a layer is adapted when the layout has a slot under its name.
  init(_ folder: ModelFolder, _ shape: LLaMAConfiguration, index: Int, layout: AdapterLayout) throws {
    let block = "model.layers.\(index)."
    let sizes = LLaMAArchitecture.blockLayers(shape)
    func linear(_ name: String, hasBias: Bool) throws -> AdaptedLinear {
      let (_, outputs, inputs) = sizes.first { $0.name == name }!
      return try AdaptedLinear(
        folder, block + name, outputs: outputs, inputs: inputs, hasBias: hasBias, slot: layout[block + name])
    }
    func norm(_ name: String) throws -> RMSNorm {
      try RMSNorm(folder, block + name, width: shape.hiddenSize, epsilon: shape.epsilon)
    }
    let biases = shape.biases
    self.init(
      inputNorm: try norm("input_layernorm"),
      attention: AttentionProjections(
        query: try linear("self_attn.q_proj", hasBias: biases.attentionInputs),
        key: try linear("self_attn.k_proj", hasBias: biases.attentionInputs),
        value: try linear("self_attn.v_proj", hasBias: biases.attentionInputs),
        attention: SelfAttention(
          heads: shape.headCount, keyValueHeads: shape.keyValueHeadCount, headSize: shape.headSize,
          relativeBias: nil),
        output: try linear("self_attn.o_proj", hasBias: biases.attentionOutput)),
      attendedNorm: try norm("post_attention_layernorm"),
      feedForward: GatedFeedForward(
        gate: try linear("mlp.gate_proj", hasBias: biases.feedForward),
        up: try linear("mlp.up_proj", hasBias: biases.feedForward),
        down: try linear("mlp.down_proj", hasBias: biases.feedForward)))
  }
}
