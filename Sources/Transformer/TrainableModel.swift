public import Adapters

/// A model that can be trained on batches that say what is asked of it.
///
/// The model itself is frozen and shared; all that is trained comes in with the pass. A result lives in the pass's
/// arena until that is released.
public protocol TrainableModel: Sendable {
  /// The table of the values that a pass brings.
  var layout: AdapterLayout { get }

  /// The mean loss of what the batch asks for; adds its gradient to the pass's gradient.
  ///
  /// The batch's targets are of the kind that the model is for; others are a programmer's error and trap.
  func addGradient(_ batch: TokenBatch, _ pass: Pass) -> Double
}
