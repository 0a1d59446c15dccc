internal import Adapters
internal import ClientData
internal import Grading
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
    forEachBatch(chunks, of: split, parameters, base) { body($0, model.logits($1, $2)) }
  }

  /// An answer to the prompt of a row.
  struct Answer: Sendable {
    let row: Int
    let text: String
    /// Of the data's own answer: the sum of its tokens' cross-entropies, and their number.
    let loss: (sum: Double, tokens: Int)
    let grade: Grade
  }

  /// Has every row of the chunks answered, greedily, and graded.
  ///
  /// - Throws: when a program is to be run and cannot be run safely.
  func forEachAnswer(
    _ chunks: some Sequence<[Int]>, of split: DatasetSplit, _ model: any LanguageModel, _ judge: AnswerJudge,
    _ parameters: AdapterParameters, base: BaseWeights? = nil, _ body: (Answer) throws -> Void
  ) throws {
    try forEachBatch(chunks, of: split, parameters, base) { rows, batch, pass in
      let losses = model.answerLosses(batch, pass)
      let answers = judge.answers(toRows: rows, of: split, by: model, pass)
      for (index, row) in rows.enumerated() {
        let text = judge.text(of: answers[index])
        let grade = try judge.grade(text, ofRow: row, in: split)
        try body(Answer(row: row, text: text, loss: losses[index], grade: grade))
      }
    }
  }

  /// One tally a chunk.
  func tallies(
    _ chunks: some Sequence<[Int]>, of split: DatasetSplit, _ model: TaskModel,
    _ parameters: AdapterParameters, base: BaseWeights? = nil
  ) throws -> [Tally] {
    switch model {
    case .classifier(let model):
      var tallies: [Tally] = []
      forEachChunk(chunks, of: split, model, parameters, base: base) { rows, logits in
        var tally = Tally(.labels(split.labelCount))
        tally.count(logits, labels: rows.map { split.labels[$0] })
        tallies.append(tally)
      }
      return tallies
    case .language(let model, let judge):
      return try chunks.map { chunk in
        var tally = Tally(.answers)
        try forEachAnswer([chunk], of: split, model, judge, parameters, base: base) {
          tally += Tally(answerLoss: $0.loss, $0.grade)
        }
        return tally
      }
    }
  }

  private func forEachBatch(
    _ chunks: some Sequence<[Int]>, of split: DatasetSplit, _ parameters: AdapterParameters,
    _ base: BaseWeights?, _ body: ([Int], TokenBatch, Pass) throws -> Void
  ) rethrows {
    try parameters.values.withUnsafeBufferPointer { values in
      try withPointer(to: base) { base in
        let pass = Pass.inference(values.baseAddress!, base: base, memory: memory)
        for chunk in chunks {
          memory.reset()
          packed.fill(split, rows: chunk, maximumLength: maximumLength)
          try body(chunk, TokenBatch(packed), pass)
        }
      }
    }
  }
}

extension Sequence where Element == Tally {
  /// The tallies added up in their order.
  func sum(_ kind: Tally.Kind) -> Tally { reduce(into: Tally(kind)) { $0 += $1 } }
}
