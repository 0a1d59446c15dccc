internal import CKernels
internal import LinearAlgebra

/// Root-mean-square normalisation, `y = gain ⊙ z / √(mean z² + ε)` for z = x + residual, with a frozen gain
/// (Zhang and Sennrich 2019).
struct RMSNorm: @unchecked Sendable {
  let gain: UnsafePointer<Float>
  let epsilon: Float

  struct Tape {
    /// z, T×h.
    let sum: MatrixView<Float>
    /// One number a row: 1 / √(mean z² + ε).
    let inverseRoot: UnsafePointer<Float>
  }

  /// Shapes: x, residual and the result, which lies in `arena`, T×h.
  func forward(
    _ x: MatrixView<Float>, residual: MatrixView<Float>?, _ pass: Pass, in arena: Arena
  ) -> (y: MutableMatrixView<Float>, tape: Tape) {
    let y = arena.matrix(rows: x.rows, columns: x.columns)
    let sum = residual.map { pass.arena.matrix(rows: $0.rows, columns: $0.columns) }
    let inverse = pass.arena.floats(x.rows)
    pass.elementwise {
      fk_rms_norm_forward(
        x.base, residual?.base, gain, sum?.base, y.base, inverse, x.rows, x.columns, epsilon)
    }
    return (y, Tape(sum: sum?.view ?? x, inverseRoot: UnsafePointer(inverse)))
  }

  /// The gradient of z, T×h: what comes through the norm and, past it, `skip`.
  func backward(
    _ dy: MatrixView<Float>, _ tape: Tape, skip: MatrixView<Float>?, into dz: MutableMatrixView<Float>,
    _ pass: Pass
  ) {
    pass.elementwise {
      fk_rms_norm_backward(
        dy.base, tape.sum.base, gain, tape.inverseRoot, skip?.base, dz.base, dy.rows, dy.columns)
    }
  }
}

extension RMSNorm {
  /// The normalisation whose tensor is `name.weight`.
  init(_ folder: ModelFolder, _ name: String, width: Int, epsilon: Float) throws {
    self.init(gain: try folder.vector(name + ".weight", count: width), epsilon: epsilon)
  }
}
