internal import CKernels
internal import LinearAlgebra

/// The tokens whose last hidden states are read, in order; the last block computes what these need and no more.
struct ReadTokens: Sendable {
  /// Rows of the batch.
  let tokens: [Int]
  /// Where each sequence's begin among them; one more than there are sequences.
  let offsets: [Int]

  /// The first token of every sequence, whose offsets in the batch are given.
  static func first(_ offsets: [Int]) -> ReadTokens {
    ReadTokens(tokens: Array(offsets.dropLast()), offsets: Array(offsets.indices))
  }

  /// The tokens whose next one is asked for: of each sequence those from the one before its answer to the one
  /// before its last. An answer begins behind the first token at the earliest.
  static func beforeAnswers(_ offsets: [Int], promptLengths: [Int]) -> ReadTokens {
    var tokens: [Int] = []
    var starts = [0]
    for (prompt, (start, end)) in zip(promptLengths, zip(offsets, offsets.dropFirst())) {
      tokens += stride(from: start + max(prompt, 1) - 1, to: end - 1, by: 1)
      starts.append(tokens.count)
    }
    return ReadTokens(tokens: tokens, offsets: starts)
  }

  /// Their rows of `x`, copied.
  func rows(of x: MatrixView<Float>, _ pass: Pass) -> MatrixView<Float> {
    let result = pass.arena.matrix(rows: tokens.count, columns: x.columns)
    pass.elementwise {
      for (row, token) in tokens.enumerated() {
        (result.base + row * result.stride).update(from: x.base + token * x.stride, count: x.columns)
      }
    }
    return result.view
  }

  /// Adds a gradient of the rows to that of the whole.
  func add(_ rows: MatrixView<Float>, to whole: MutableMatrixView<Float>, _ pass: Pass) {
    pass.elementwise {
      for (row, token) in tokens.enumerated() {
        fk_add(whole.base + token * whole.stride, rows.base + row * rows.stride, rows.columns)
      }
    }
  }
}
