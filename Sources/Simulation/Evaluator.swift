internal import Adapters
internal import ClientData
internal import LinearAlgebra
internal import Transformer

/// Forward passes over rows of a split, on memory that is reused.
///
/// Rows are cut into chunks that depend on the data alone, so that no number depends on how the chunks
/// are spread over ranks.
final class Evaluator {
  let maximumLength: Int
  private let memory = StepMemory()
  private var packed = PackedBatch()

  init(maximumLength: Int) { self.maximumLength = maximumLength }

  /// Calls `body` with each chunk and its logits (rows of the chunk × labels), which live until it returns.
  func forEachChunk(
    _ chunks: some Sequence<[Int]>, of split: DatasetSplit, _ model: any ClassificationModel,
    _ parameters: AdapterParameters, base: BaseWeights? = nil, _ body: ([Int], MatrixView<Float>) -> Void
  ) {
    parameters.values.withUnsafeBufferPointer { values in
      withPointer(to: base) { base in
        let pass = Pass.inference(values.baseAddress!, base: base, memory: memory)
        for chunk in chunks {
          memory.reset()
          packed.fill(split, rows: chunk, maximumLength: maximumLength)
          body(chunk, model.logits(TokenBatch(packed), pass))
        }
      }
    }
  }

  /// One tally a chunk.
  func tallies(
    _ chunks: some Sequence<[Int]>, of split: DatasetSplit, _ model: any ClassificationModel,
    _ parameters: AdapterParameters, base: BaseWeights? = nil
  ) -> [Tally] {
    var tallies: [Tally] = []
    forEachChunk(chunks, of: split, model, parameters, base: base) { rows, logits in
      var tally = Tally(labelCount: split.labelCount)
      tally.count(logits, labels: rows.map { split.labels[$0] })
      tallies.append(tally)
    }
    return tallies
  }
}

extension TokenBatch {
  init(_ packed: PackedBatch) {
    self.init(
      tokens: packed.tokens, tokenTypes: packed.tokenTypes, offsets: packed.offsets,
      targets: .labels(packed.labels))
  }
}

extension Sequence where Element == Tally {
  /// The tallies added up in their order.
  func sum(labelCount: Int) -> Tally { reduce(into: Tally(labelCount: labelCount)) { $0 += $1 } }
}
