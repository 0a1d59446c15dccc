internal import LinearAlgebra

/// A frozen stack of blocks with adapters in it, from token ids to hidden states.
protocol Encoder: Sendable {
  /// What the backward pass needs of a forward pass.
  associatedtype Tape

  /// The width h of the hidden states.
  var hiddenSize: Int { get }

  /// The last hidden states, T×h. A pass without a gradient keeps no tape.
  func forward(_ batch: TokenBatch, _ pass: Pass) -> (hidden: MatrixView<Float>, tape: Tape)

  /// Adds the gradient of every adapted tensor, given that of the last hidden states, T×h.
  func backward(_ dHidden: MatrixView<Float>, _ tape: Tape, offsets: [Int], _ pass: Pass)
}
