internal import Foundation
public import Adapters
public import LinearAlgebra

/// A model that gives every sequence of a batch a logit for each label.
///
/// The model itself is frozen and shared; all that is trained comes in with the pass. A result lives in
/// the pass's arena until that is released.
public protocol ClassificationModel: Sendable {
  /// The table of the values that a pass brings.
  var layout: AdapterLayout { get }

  /// Logits, sequences × labels.
  func logits(_ batch: TokenBatch, _ pass: Pass) -> MatrixView<Float>

  /// The mean cross-entropy of the batch; adds its gradient to the pass's gradient.
  ///
  /// `labels` has one label a sequence, each below the number of labels.
  func addGradient(_ batch: TokenBatch, labels: [Int32], _ pass: Pass) -> Double
}

/// Cross-entropy of one row of logits against `label`, in double precision.
public func crossEntropy(_ logits: UnsafeBufferPointer<Float>, label: Int32) -> Double {
  logSumExp(logits) - Double(logits[Int(label)])
}

func logSumExp(_ logits: UnsafeBufferPointer<Float>) -> Double {
  let largest = Double(logits.max() ?? 0)
  return largest + log(logits.reduce(0) { $0 + exp(Double($1) - largest) })
}
