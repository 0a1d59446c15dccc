internal import Adapters
internal import CKernels
internal import Foundation
internal import LinearAlgebra

/// BERT's classifier: `logits = W_c tanh(W_p h₀ + b_p) + b_c` over the first token's hidden state h₀.
/// The pooler W_p is frozen; the head W_c, b_c lies behind the factors in the adapter's buffer.
///
/// Letters: T tokens, S sequences, h hidden size, C labels.
struct SequenceClassifier<Stack: Encoder>: ClassificationModel {
  let encoder: Stack
  let pooler: AdaptedLinear
  let layout: AdapterLayout
  /// Keeps the frozen weights mapped.
  let folder: ModelFolder

  private var weight: TensorSlot { layout.head[0] }
  private var bias: TensorSlot { layout.head[1] }
  private var labelCount: Int { weight.shape[0] }

  func logits(_ batch: TokenBatch, _ pass: Pass) -> MatrixView<Float> {
    let result = pass.arena.matrix(rows: batch.sequenceCount, columns: labelCount)
    let mark = pass.arena.mark
    defer { pass.arena.release(to: mark) }
    let first = encoder.forward(batch, reading: .first(batch.offsets), pass).hidden
    headForward(pooled(first, pass).view, into: result, pass)
    return result.view
  }

  func addGradient(_ batch: TokenBatch, _ pass: Pass) -> Double {
    guard case .labels(let labels)? = batch.targets else {
      preconditionFailure("a classifier is trained on labels")
    }
    let mark = pass.arena.mark
    defer { pass.arena.release(to: mark) }
    let (first, tape) = encoder.forward(batch, reading: .first(batch.offsets), pass)
    let pooled = pooled(first, pass)
    let logits = pass.arena.matrix(rows: batch.sequenceCount, columns: labelCount)
    headForward(pooled.view, into: logits, pass)
    let loss = replaceByGradient(logits, labels: labels)
    encoder.backward(headBackward(logits.view, pooled, pass), tape, pass)
    return loss
  }

  /// `tanh(W_p h₀ + b_p)`, S×h.
  private func pooled(_ first: MatrixView<Float>, _ pass: Pass) -> MutableMatrixView<Float> {
    let pooled = pooler.forward(first, pass, in: pass.arena).y
    for index in 0..<pooled.rows * pooled.columns { pooled.base[index] = tanhf(pooled.base[index]) }
    return pooled
  }

  private func headWeight(_ base: UnsafePointer<Float>) -> MatrixView<Float> {
    MatrixView(base + weight.offset, rows: weight.shape[0], columns: weight.shape[1])
  }

  private func headForward(_ pooled: MatrixView<Float>, into logits: MutableMatrixView<Float>, _ pass: Pass) {
    pass.multiply(.base, pooled, .asStored, headWeight(pass.parameters), .transposed, into: logits)
    fk_add_bias(logits.base, pass.parameters + bias.offset, logits.rows, logits.columns)
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

  /// Adds the head's gradient and returns that of the first tokens' hidden states, S×h.
  private func headBackward(
    _ dLogits: MatrixView<Float>, _ pooled: MutableMatrixView<Float>, _ pass: Pass
  ) -> MatrixView<Float> {
    addHeadGradient(dLogits, pooled.view, pass)
    let dPooled = pass.arena.matrix(rows: pooled.rows, columns: pooled.columns)
    pass.multiply(.base, dLogits, .asStored, headWeight(pass.parameters), .asStored, into: dPooled)
    for index in 0..<dPooled.rows * dPooled.columns {
      dPooled.base[index] *= 1 - pooled.base[index] * pooled.base[index]
    }
    let dFirst = pass.arena.matrix(rows: pooled.rows, columns: pooled.columns)
    pooler.backward(dPooled.view, AdaptedLinear.Tape(), .new(dFirst), pass)
    return dFirst.view
  }

  private func addHeadGradient(_ dLogits: MatrixView<Float>, _ pooled: MatrixView<Float>, _ pass: Pass) {
    guard layout.headMode != .frozen, let gradient = pass.gradient else { return }
    let dWeight = MutableMatrixView(
      gradient + weight.offset, rows: weight.shape[0], columns: weight.shape[1])
    pass.multiply(.base, dLogits, .transposed, pooled, .asStored, into: dWeight, beta: 1)
    for row in 0..<dLogits.rows {
      fk_add(gradient + bias.offset, dLogits.base + row * labelCount, labelCount)
    }
  }
}
