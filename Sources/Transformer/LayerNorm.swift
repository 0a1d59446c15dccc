internal import CKernels
internal import LinearAlgebra

/// Layer normalisation of a sum, `y = gain ⊙ normalise(x + residual) + bias`, with frozen gain and bias.
struct LayerNorm: @unchecked Sendable {
  let gain: UnsafePointer<Float>
  let bias: UnsafePointer<Float>
  let epsilon: Float

  struct Tape {
    /// The normalised sum, T×h.
    let normalised: MatrixView<Float>
    /// One number a row: 1 / √(variance + ε).
    let inverseDeviation: UnsafePointer<Float>
  }

  /// Shapes: x, residual and the result, which lies in `arena`, T×h.
  func forward(
    _ x: MatrixView<Float>, residual: MatrixView<Float>?, _ pass: Pass, in arena: Arena
  ) -> (y: MutableMatrixView<Float>, tape: Tape) {
    let y = arena.matrix(rows: x.rows, columns: x.columns)
    let normalised = pass.arena.matrix(rows: x.rows, columns: x.columns)
    let inverse = pass.arena.floats(x.rows)
    pass.elementwise {
      fk_layer_norm_forward(
        x.base, residual?.base, gain, bias, normalised.base, y.base, inverse, x.rows, x.columns, epsilon)
    }
    return (y, Tape(normalised: normalised.view, inverseDeviation: UnsafePointer(inverse)))
  }

  /// The gradient of the sum `x + residual`, T×h, in `arena`.
  func backward(
    _ dy: MatrixView<Float>, _ tape: Tape, _ pass: Pass, in arena: Arena
  ) -> MutableMatrixView<Float> {
    let dz = arena.matrix(rows: dy.rows, columns: dy.columns)
    pass.elementwise {
      fk_layer_norm_backward(
        dy.base, tape.normalised.base, gain, tape.inverseDeviation, dz.base, dy.rows, dy.columns)
    }
    return dz
  }
}
