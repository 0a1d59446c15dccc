internal import LinearAlgebra

/// A frozen stack of blocks with adapters in it, from token ids to hidden states.
protocol Encoder: Sendable {
  /// What the backward pass needs of a forward pass.
  associatedtype Tape

  /// The width h of the hidden states.
  var hiddenSize: Int { get }

  /// The last hidden states of the tokens that are read, R×h; of all where `reading` is nil. A pass without a
  /// gradient keeps no tape.
  func forward(
    _ batch: TokenBatch, reading: ReadTokens?, _ pass: Pass
  ) -> (hidden: MatrixView<Float>, tape: Tape)

  /// Adds the gradient of every adapted tensor, given that of those hidden states, R×h.
  func backward(_ dHidden: MatrixView<Float>, _ tape: Tape, _ pass: Pass)
}
