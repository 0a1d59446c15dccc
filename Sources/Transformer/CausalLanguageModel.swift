internal import Adapters
internal import CKernels
internal import LinearAlgebra

/// A decoder with its output layer, `logits = W h`: W is V×h and frozen, often the table of embeddings.
///
/// Letters: T tokens, of which R predict a token that is asked for; h hidden size, V size of the vocabulary. Logits
/// are computed for some rows at a time: all of them would take more memory than everything else.
struct CausalLanguageModel: LanguageModel {
  let decoder: LLaMADecoder
  let output: FrozenMatrix
  let layout: AdapterLayout
  /// Keeps the frozen weights mapped.
  let folder: ModelFolder

  private static let rowsAtOnce = 128

  func addGradient(_ batch: TokenBatch, _ pass: Pass) -> Double {
    let mark = pass.arena.mark
    defer { pass.arena.release(to: mark) }
    let answers = Answers(batch)
    guard answers.count > 0 else { return 0 }
    let (hidden, tape) = decoder.forward(batch, reading: answers.reading, pass)
    let dHidden = pass.arena.matrix(rows: hidden.rows, columns: hidden.columns)
    let share = 1 / Float(answers.count)
    let losses = losses(hidden, answers.tokens, pass) { rows, logits, targets, normalisers in
      pass.elementwise {
        fk_cross_entropy_backward(logits.base, targets, normalisers, logits.rows, logits.columns, share)
      }
      pass.multiply(logits.view, output, .asStored, into: dHidden.rows(rows))
    }
    decoder.backward(dHidden.view, tape, pass)
    return losses.reduce(0, +) / Double(answers.count)
  }

  func answerLosses(_ batch: TokenBatch, _ pass: Pass) -> [(sum: Double, tokens: Int)] {
    let mark = pass.arena.mark
    defer { pass.arena.release(to: mark) }
    let answers = Answers(batch)
    let losses =
      answers.count == 0
      ? [] : losses(decoder.forward(batch, reading: answers.reading, pass).hidden, answers.tokens, pass)
    return zip(answers.reading.offsets, answers.reading.offsets.dropFirst()).map { start, end in
      (losses[start..<end].reduce(0, +), end - start)
    }
  }

  /// What is asked for: the tokens that predict, and those that are to be predicted.
  private struct Answers {
    let reading: ReadTokens
    let tokens: [Int32]

    var count: Int { tokens.count }

    init(_ batch: TokenBatch) {
      guard case .answers(let promptLengths)? = batch.targets else {
        preconditionFailure("a language model is trained on answers")
      }
      reading = .beforeAnswers(batch.offsets, promptLengths: promptLengths)
      tokens = reading.tokens.map { batch.tokens[$0 + 1] }
    }
  }

  /// The cross-entropy of every row of `hidden`, R×h, against its target. `body` gets the logits of some rows, which
  /// it may change.
  private func losses(
    _ hidden: MatrixView<Float>, _ targets: [Int32], _ pass: Pass,
    _ body: (Range<Int>, MutableMatrixView<Float>, [Int32], [Double]) -> Void = { _, _, _, _ in }
  ) -> [Double] {
    var losses: [Double] = []
    losses.reserveCapacity(targets.count)
    forEachPart(of: hidden, pass) { rows, logits in
      let wanted = Array(targets[rows])
      var (part, normalisers) = (
        [Double](repeating: 0, count: rows.count), [Double](repeating: 0, count: rows.count)
      )
      pass.elementwise {
        fk_cross_entropy_forward(logits.base, wanted, &part, &normalisers, logits.rows, logits.columns)
      }
      losses += part
      body(rows, logits, wanted, normalisers)
    }
    return losses
  }

  /// Visits the rows of `hidden`, R×h, and their logits, which live until `body` returns, some at a time.
  func forEachPart(
    of hidden: MatrixView<Float>, _ pass: Pass, _ body: (Range<Int>, MutableMatrixView<Float>) -> Void
  ) {
    let mark = pass.arena.mark
    defer { pass.arena.release(to: mark) }
    let room = pass.arena.floats(min(hidden.rows, Self.rowsAtOnce) * output.rows)
    for start in stride(from: 0, to: hidden.rows, by: Self.rowsAtOnce) {
      let rows = start..<min(start + Self.rowsAtOnce, hidden.rows)
      let logits = MutableMatrixView(room, rows: rows.count, columns: output.rows)
      pass.multiply(hidden.rows(rows), output, .transposed, into: logits)
      body(rows, logits)
    }
  }
}
