internal import Adapters
internal import CKernels
internal import LinearAlgebra
internal import Randomness

/// A frozen linear layer, with or without an adapter: `y = x Wᵀ + bias + s · (dropout(x) Aᵀ) Bᵀ`, and with a
/// core R between fixed factors `y = x Wᵀ + bias + s · ((dropout(x) Aᵀ) Rᵀ) Bᵀ`.
///
/// Shapes: x T×k, W d×k, A r×k, R r×r, B d×r, y T×d; T tokens.
struct AdaptedLinear: @unchecked Sendable {
  let weight: FrozenMatrix
  /// Nil where the layer has none.
  let bias: UnsafePointer<Float>?
  let slot: LayerSlot?

  var isAdapted: Bool { slot != nil }

  /// What becomes of the input's gradient.
  enum InputGradient {
    case unwanted
    /// Written over whatever is there.
    case new(MutableMatrixView<Float>)
    /// Added to what is there.
    case added(MutableMatrixView<Float>)

    fileprivate var matrix: MutableMatrixView<Float>? {
      switch self {
      case .unwanted: nil
      case .new(let matrix), .added(let matrix): matrix
      }
    }

    var isWanted: Bool { matrix != nil }

    /// What becomes of the next part of the same gradient.
    var further: InputGradient { matrix.map { .added($0) } ?? .unwanted }

    fileprivate var isAdded: Bool {
      if case .added = self { true } else { false }
    }
  }

  /// What the backward pass needs of the forward pass.
  struct Tape {
    /// dropout(x), T×k: what the adapter saw; x itself without dropout.
    var adapterInput: MatrixView<Float>?
    /// `dropout(x) Aᵀ`, T×r.
    var projected: MatrixView<Float>?
  }

  /// The result lies in `arena`.
  func forward(
    _ x: MatrixView<Float>, _ pass: Pass, in arena: Arena
  ) -> (y: MutableMatrixView<Float>, tape: Tape) {
    let y = arena.matrix(rows: x.rows, columns: weight.rows)
    pass.multiply(x, weight(in: pass), .transposed, bias: bias, into: y)
    guard let slot else { return (y, Tape()) }
    let input = dropped(x, slot, pass)
    let projected = pass.arena.matrix(rows: x.rows, columns: slot.layer.adapterRank)
    pass.multiply(input, factor: slot.a(in: pass.parameters), into: projected)
    pass.multiply(
      throughCore(projected.view, slot, pass), factor: slot.b(in: pass.parameters), into: y,
      alpha: slot.layer.scaling, accumulates: true)
    return (y, Tape(adapterInput: input, projected: projected.view))
  }

  /// Adds the gradients of what is trained to the pass and, where it is wanted, that of the input:
  /// `dU = s · dy B`, `dA += dUᵀ dropout(x)`, `dB += s · dyᵀ U`, `dx += dy W + mask(dU A)`. With a core:
  /// `dV = s · dy B`, `dR += dVᵀ U`, `dU = dV R`; A and B are fixed.
  func backward(_ dy: MatrixView<Float>, _ tape: Tape, _ inputGradient: InputGradient, _ pass: Pass) {
    let dx = inputGradient.matrix
    if let dx {
      pass.multiply(dy, weight(in: pass), .asStored, into: dx, accumulates: inputGradient.isAdded)
    }
    guard let slot, let gradient = pass.gradient, let input = tape.adapterInput,
      let projected = tape.projected
    else { return }
    let mark = pass.arena.mark
    defer { pass.arena.release(to: mark) }
    let dU = pass.arena.matrix(rows: dy.rows, columns: slot.layer.adapterRank)
    pass.multiply(
      .adapter, dy, .asStored, slot.b(in: pass.parameters), .asStored, into: dU, alpha: slot.layer.scaling)
    if let core = slot.core(in: pass.parameters), let dCore = slot.core(in: gradient) {
      pass.multiply(.adapter, dU.view, .transposed, projected, .asStored, into: dCore, beta: 1)
      guard let dx else { return }
      let dInner = pass.arena.matrix(rows: dU.rows, columns: dU.columns)
      pass.multiply(.adapter, dU.view, .asStored, core, .asStored, into: dInner)
      return addInputGradient(dInner.view, to: dx, slot, pass)
    }
    pass.multiply(.adapter, dU.view, .transposed, input, .asStored, into: slot.a(in: gradient), beta: 1)
    pass.multiply(
      .adapter, dy, .transposed, projected, .asStored, into: slot.b(in: gradient), alpha: slot.layer.scaling,
      beta: 1)
    if let dx { addInputGradient(dU.view, to: dx, slot, pass) }
  }

  /// `U Rᵀ`, T×r; `U` itself without a core.
  private func throughCore(
    _ projected: MatrixView<Float>, _ slot: LayerSlot, _ pass: Pass
  ) -> MatrixView<Float> {
    guard let core = slot.core(in: pass.parameters) else { return projected }
    let inner = pass.arena.matrix(rows: projected.rows, columns: core.rows)
    pass.multiply(projected, factor: core, into: inner)
    return inner.view
  }

  /// The weight as the method has changed it, or the checkpoint's.
  private func weight(in pass: Pass) -> FrozenMatrix {
    guard let slot, let base = pass.base else { return weight }
    return weight.replaced(by: base + slot.baseOffset)
  }

  private func addInputGradient(
    _ dU: MatrixView<Float>, to dx: MutableMatrixView<Float>, _ slot: LayerSlot, _ pass: Pass
  ) {
    let a = slot.a(in: pass.parameters)
    guard let dropout = pass.dropout else {
      pass.multiply(.adapter, dU, .asStored, a, .asStored, into: dx, beta: 1)
      return
    }
    let masked = pass.arena.matrix(rows: dx.rows, columns: dx.columns)
    pass.multiply(.adapter, dU, .asStored, a, .asStored, into: masked)
    var key = dropout.kernelKey(part: slot.index)
    pass.elementwise {
      fk_dropout_backward_add(masked.base, dx.base, dx.rows * dx.columns, dropout.probability, &key)
    }
  }

  private func dropped(_ x: MatrixView<Float>, _ slot: LayerSlot, _ pass: Pass) -> MatrixView<Float> {
    guard let dropout = pass.dropout else { return x }
    let input = pass.arena.matrix(rows: x.rows, columns: x.columns)
    var key = dropout.kernelKey(part: slot.index)
    pass.elementwise { fk_dropout_forward(x.base, input.base, x.rows * x.columns, dropout.probability, &key) }
    return input.view
  }
}

extension Pass {
  /// `y ← α x Fᵀ`, or `y ← y + α x Fᵀ`, for a factor F of an adapter.
  ///
  /// Where nothing is trained, the rows do not depend on what else is in the batch, as those of the base products do
  /// not: BLAS, which is faster at the few columns of a factor, chooses how it sums by the number of rows.
  fileprivate func multiply(
    _ x: MatrixView<Float>, factor: MatrixView<Float>, into y: MutableMatrixView<Float>, alpha: Float = 1,
    accumulates: Bool = false
  ) {
    guard gradient == nil else {
      return multiply(
        .adapter, x, .asStored, factor, .transposed, into: y, alpha: alpha, beta: accumulates ? 1 : 0)
    }
    let mark = arena.mark
    defer { arena.release(to: mark) }
    multiply(
      scaled(x, by: alpha), FrozenMatrix(factor), .transposed, into: y, accumulates: accumulates, as: .adapter
    )
  }

  private func scaled(_ x: MatrixView<Float>, by factor: Float) -> MatrixView<Float> {
    guard factor != 1 else { return x }
    let result = arena.matrix(rows: x.rows, columns: x.columns)
    for row in 0..<x.rows {
      for column in 0..<x.columns { result[row, column] = factor * x[row, column] }
    }
    return result.view
  }
}

extension Dropout {
  /// The kernel's form of the key for one adapted layer.
  fileprivate func kernelKey(part: Int) -> fk_random_key {
    var key = key
    key.part = part
    let (philoxKey, counter) = (key.philoxKey, key.philoxCounter)
    return fk_random_key(
      key: (philoxKey[0], philoxKey[1]), counter: (counter[0], counter[1], counter[2], counter[3]))
  }
}
