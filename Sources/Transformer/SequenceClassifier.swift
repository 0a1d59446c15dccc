internal import Adapters
internal import Foundation
internal import LinearAlgebra

/// A classifier over an encoder: `logits = W_c tanh(W_p h₀ + b_p) + b_c` over the first token's hidden state h₀. What
/// is trained of these, W_c and b_c at least, lies behind the factors in the adapter's buffer.
///
/// Letters: T tokens, S sequences, h hidden size, C labels.
struct SequenceClassifier<Stack: Encoder>: ClassificationModel {
  let encoder: Stack
  let pooler: Pooler
  let output: HeadLinear
  let layout: AdapterLayout
  /// Keeps the frozen weights mapped.
  let folder: ModelFolder

  func logits(_ batch: TokenBatch, _ pass: Pass) -> MatrixView<Float> {
    let result = pass.arena.matrix(rows: batch.sequenceCount, columns: output.outputs)
    let mark = pass.arena.mark
    defer { pass.arena.release(to: mark) }
    let first = encoder.forward(batch, reading: .first(batch.offsets), pass).hidden
    output.forward(pooler.forward(first, pass).view, into: result, pass)
    return result.view
  }

  func addGradient(_ batch: TokenBatch, _ pass: Pass) -> Double {
    guard case .labels(let labels)? = batch.targets else {
      preconditionFailure("a classifier is trained on labels")
    }
    let mark = pass.arena.mark
    defer { pass.arena.release(to: mark) }
    let (first, tape) = encoder.forward(batch, reading: .first(batch.offsets), pass)
    let pooled = pooler.forward(first, pass)
    let logits = pass.arena.matrix(rows: batch.sequenceCount, columns: output.outputs)
    output.forward(pooled.view, into: logits, pass)
    let loss = replaceByGradient(logits, labels: labels)
    let dPooled = pass.arena.matrix(rows: pooled.rows, columns: pooled.columns)
    output.backward(logits.view, input: pooled.view, into: dPooled, pass)
    encoder.backward(pooler.backward(dPooled, pooled.view, first, pass), tape, pass)
    return loss
  }

  /// Returns the mean cross-entropy; `logits` become its gradient `(softmax − onehot) / S`.
  private func replaceByGradient(_ logits: MutableMatrixView<Float>, labels: [Int32]) -> Double {
    let share = 1 / Double(logits.rows)
    var loss = 0.0
    for row in 0..<logits.rows {
      let values = UnsafeMutableBufferPointer(start: logits.base + row * logits.stride, count: logits.columns)
      let normaliser = logSumExp(UnsafeBufferPointer(values))
      loss += normaliser - Double(values[Int(labels[row])])
      for label in values.indices {
        let target = label == Int(labels[row]) ? 1.0 : 0.0
        values[label] = Float((exp(Double(values[label]) - normaliser) - target) * share)
      }
    }
    return loss * share
  }
}
