internal import Foundation
public import LinearAlgebra

/// A model that gives every sequence of a batch a logit for each label; it is trained on `.labels`, by the mean
/// cross-entropy over the sequences.
public protocol ClassificationModel: TrainableModel {
  /// Logits, sequences × labels.
  func logits(_ batch: TokenBatch, _ pass: Pass) -> MatrixView<Float>
}

/// Cross-entropy of one row of logits against `label`, in double precision.
public func crossEntropy(_ logits: UnsafeBufferPointer<Float>, label: Int32) -> Double {
  logSumExp(logits) - Double(logits[Int(label)])
}

func logSumExp(_ logits: UnsafeBufferPointer<Float>) -> Double {
  let largest = Double(logits.max() ?? 0)
  return largest + log(logits.reduce(0) { $0 + exp(Double($1) - largest) })
}
