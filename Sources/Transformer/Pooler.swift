internal import Foundation
internal import LinearAlgebra

/// What a classifier makes of the first token's hidden state h₀: `tanh(W h₀ + b)`, S×h.
enum Pooler: Sendable {
  /// The checkpoint's.
  case frozen(AdaptedLinear)
  /// The head's own.
  case trained(HeadLinear)

  func forward(_ first: MatrixView<Float>, _ pass: Pass) -> MutableMatrixView<Float> {
    let pooled = linear(first, pass)
    for index in 0..<pooled.rows * pooled.columns { pooled.base[index] = tanhf(pooled.base[index]) }
    return pooled
  }

  private func linear(_ first: MatrixView<Float>, _ pass: Pass) -> MutableMatrixView<Float> {
    switch self {
    case .frozen(let layer): return layer.forward(first, pass, in: pass.arena).y
    case .trained(let layer):
      let result = pass.arena.matrix(rows: first.rows, columns: layer.outputs)
      layer.forward(first, into: result, pass)
      return result
    }
  }

  /// Adds the gradient of what is trained and returns that of `first`; `gradient`, that of the result, is used up.
  func backward(
    _ gradient: MutableMatrixView<Float>, _ pooled: MatrixView<Float>, _ first: MatrixView<Float>,
    _ pass: Pass
  ) -> MatrixView<Float> {
    for index in 0..<pooled.rows * pooled.columns {
      gradient.base[index] *= 1 - pooled.base[index] * pooled.base[index]
    }
    let dFirst = pass.arena.matrix(rows: first.rows, columns: first.columns)
    switch self {
    case .frozen(let layer): layer.backward(gradient.view, AdaptedLinear.Tape(), .new(dFirst), pass)
    case .trained(let layer): layer.backward(gradient.view, input: first, into: dFirst, pass)
    }
    return dFirst.view
  }
}
