internal import Adapters
internal import CKernels
internal import LinearAlgebra

/// BERT's embeddings: the normalised sum of word, position and, where the kind has them, token type; all frozen.
struct BERTEmbeddings: @unchecked Sendable {
  let shape: BERTConfiguration
  let words: FrozenMatrix
  let positions: FrozenMatrix
  /// Nil where there are none.
  let tokenTypes: FrozenMatrix?
  let norm: LayerNorm

  init(_ folder: ModelFolder, _ shape: BERTConfiguration, prefix: String) throws {
    self.shape = shape
    let h = shape.hiddenSize
    let name = prefix + "embeddings."
    words = try folder.matrix(name + "word_embeddings.weight", rows: shape.vocabularySize, columns: h)
    positions = try folder.matrix(
      name + "position_embeddings.weight", rows: shape.positionRowCount, columns: h)
    tokenTypes =
      shape.tokenTypeCount == 0
      ? nil
      : try folder.matrix(name + "token_type_embeddings.weight", rows: shape.tokenTypeCount, columns: h)
    norm = try LayerNorm(folder, name + "LayerNorm", width: h, epsilon: shape.epsilon)
  }

  /// The input of the first block, T×h. The sums are released again; only the result stays.
  func forward(_ batch: TokenBatch, _ pass: Pass) -> MutableMatrixView<Float> {
    let arena = pass.arena
    let result = arena.matrix(rows: batch.tokenCount, columns: words.columns)
    let mark = arena.mark
    defer { arena.release(to: mark) }
    let sums = arena.matrix(rows: batch.tokenCount, columns: words.columns)
    let addend = arena.floats(words.columns)
    pass.elementwise {
      for (start, end) in zip(batch.offsets, batch.offsets.dropFirst()) {
        for (token, row) in zip(start..<end, shape.positionRows(of: batch.tokens[start..<end])) {
          embed(batch, token, positionRow: row, into: sums, addend)
        }
      }
    }
    let normalised = norm.forward(sums.view, residual: nil, pass, in: arena).y
    result.base.update(from: normalised.base, count: result.rows * result.columns)
    return result
  }

  private func embed(
    _ batch: TokenBatch, _ token: Int, positionRow: Int, into sums: MutableMatrixView<Float>,
    _ addend: UnsafeMutablePointer<Float>
  ) {
    let width = words.columns
    let row = sums.base + token * width
    words.copyRow(Int(batch.tokens[token]), to: row)
    positions.copyRow(positionRow, to: addend)
    fk_add(row, addend, width)
    guard let tokenTypes else { return }
    let type = batch.tokenTypes.isEmpty ? 0 : Int(batch.tokenTypes[token])
    tokenTypes.copyRow(type, to: addend)
    fk_add(row, addend, width)
  }
}

extension LayerNorm {
  /// The normalisation whose tensors are `name.weight` and `name.bias`.
  init(_ folder: ModelFolder, _ name: String, width: Int, epsilon: Float) throws {
    self.init(
      gain: try folder.vector(name + ".weight", count: width),
      bias: try folder.vector(name + ".bias", count: width), epsilon: epsilon)
  }
}

extension AdaptedLinear {
  /// The linear layer whose tensors are `name.weight` (outputs × inputs) and, if it has one, `name.bias`.
  init(
    _ folder: ModelFolder, _ name: String, outputs: Int, inputs: Int, hasBias: Bool = true, slot: LayerSlot?
  ) throws {
    self.init(
      weight: try folder.matrix(name + ".weight", rows: outputs, columns: inputs),
      bias: hasBias ? try folder.vector(name + ".bias", count: outputs) : nil, slot: slot)
  }
}
