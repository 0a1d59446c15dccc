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

  /// The last hidden states; `tokens` tells what a block, by its index, has to know. Blocks that keep no tape, all of
  /// them in a pass without a gradient, write over `x`.
  func forward(
    _ x: MutableMatrixView<Float>, _ pass: Pass, tokens: (Int) -> BlockTokens
  ) -> (hidden: MatrixView<Float>, tape: Tape) {
    let lowestWithTape = pass.gradient == nil ? layers.count : lowestAdapted
    var x = x
    for index in 0..<lowestWithTape { x = replaced(x, by: layers[index], tokens(index), pass) }
    var (hidden, tapes) = (x.view, Tape())
    for index in lowestWithTape..<layers.count {
      let (y, tape) = pass.block { layers[index].forward(hidden, tokens(index), pass) }
      tapes.append(tape)
      hidden = y
    }
    return (hidden, tapes)
  }

  /// A block's result in place of its input; everything else is released.
  private func replaced(
    _ x: MutableMatrixView<Float>, by layer: Layer, _ tokens: BlockTokens, _ pass: Pass
  ) -> MutableMatrixView<Float> {
    let mark = pass.arena.mark
    defer { pass.arena.release(to: mark) }
    let y = pass.block { layer.forward(x.view, tokens, pass).y }
    x.base.update(from: y.base, count: y.rows * y.columns)
    return x.rows(0..<y.rows)
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
