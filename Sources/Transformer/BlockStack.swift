internal import LinearAlgebra

/// A block of a transformer with adapters in its linear layers.
///
/// Letters: T tokens, of which R are read; h the width of the hidden states.
protocol Block: Sendable {
  /// What the backward pass needs of a forward pass.
  associatedtype Tape

  var isAdapted: Bool { get }

  /// Shapes: x T×h, the result R×h: keys and values are of all tokens, everything else of the R alone.
  func forward(
    _ x: MatrixView<Float>, _ tokens: BlockTokens, _ pass: Pass
  ) -> (y: MatrixView<Float>, tape: Tape)

  /// Adds the gradients of this block's factors. Returns the input's gradient, T×h, where it is wanted; otherwise
  /// goes no further down than this block's lowest adapted layer.
  func backward(
    _ dy: MatrixView<Float>, _ tape: Tape, wantsInput: Bool, _ pass: Pass
  ) -> MutableMatrixView<Float>?
}

/// Blocks one upon another.
struct BlockStack<Layer: Block>: Sendable {
  let layers: [Layer]
  /// The index of the lowest block with an adapter: backward passes end there.
  private let lowestAdapted: Int

  /// One tape a block from the lowest adapted one upwards.
  typealias Tape = [Layer.Tape]

  init(_ layers: [Layer]) {
    self.layers = layers
    lowestAdapted = layers.firstIndex { $0.isAdapted } ?? layers.count
  }

  var isAdapted: Bool { lowestAdapted < layers.count }

  /// Whether nothing above a block needs more of it than what is read of the whole.
  func isLast(_ index: Int) -> Bool { index == layers.count - 1 }

  /// `tokens` tells what a block, by its index, has to know. A pass without a gradient keeps no tape.
  func forward(
    _ x: MatrixView<Float>, _ pass: Pass, tokens: (Int) -> BlockTokens
  ) -> (hidden: MatrixView<Float>, tape: Tape) {
    var x = x
    var tapes = Tape()
    for (index, layer) in layers.enumerated() {
      if pass.gradient != nil, index >= lowestAdapted {
        let (y, tape) = pass.block { layer.forward(x, tokens(index), pass) }
        tapes.append(tape)
        x = y
      } else {
        x = forwardWithoutTape(layer, x, tokens(index), pass)
      }
    }
    return (x, tapes)
  }

  /// Writes the block's result over a buffer of its own and releases everything else.
  private func forwardWithoutTape(
    _ layer: Layer, _ x: MatrixView<Float>, _ tokens: BlockTokens, _ pass: Pass
  ) -> MatrixView<Float> {
    let result = pass.arena.matrix(rows: tokens.reading?.tokens.count ?? x.rows, columns: x.columns)
    let mark = pass.arena.mark
    defer { pass.arena.release(to: mark) }
    let y = pass.block { layer.forward(x, tokens, pass).y }
    result.base.update(from: y.base, count: y.rows * y.columns)
    return result.view
  }

  /// Adds the gradient of every adapted tensor, given that of the hidden states.
  func backward(_ dHidden: MatrixView<Float>, _ tape: Tape, _ pass: Pass) {
    var dy = dHidden
    for index in stride(from: layers.count - 1, through: lowestAdapted, by: -1) {
      guard
        let dx = pass.block({
          layers[index].backward(dy, tape[index - lowestAdapted], wantsInput: index > lowestAdapted, pass)
        })
      else { return }
      dy = dx.view
    }
  }
}
