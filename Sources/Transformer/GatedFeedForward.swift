internal import CKernels
internal import LinearAlgebra

/// The feed-forward part of a block with a gate: `W_down (silu(W_gate x) ⊙ W_up x)` (Shazeer 2020).
///
/// Letters: T tokens, h hidden size, f feed-forward size.
struct GatedFeedForward: Sendable {
  let gate: AdaptedLinear
  let up: AdaptedLinear
  let down: AdaptedLinear

  private var adaptsInputs: Bool { gate.isAdapted || up.isAdapted }
  var isAdapted: Bool { adaptsInputs || down.isAdapted }

  /// The layers whose input is the block's.
  var inputs: [AdaptedLinear] { [gate, up] }

  struct Tape {
    let gate: AdaptedLinear.Tape
    let up: AdaptedLinear.Tape
    /// The two factors before the activation, T×f.
    let gated: MatrixView<Float>
    let raised: MatrixView<Float>
    let down: AdaptedLinear.Tape
  }

  /// Shapes: x and the result, which lies in `arena`, T×h.
  func forward(
    _ x: MatrixView<Float>, _ pass: Pass, in arena: Arena
  ) -> (y: MutableMatrixView<Float>, tape: Tape) {
    let (gated, gateTape) = gate.forward(x, pass, in: pass.arena)
    let (raised, upTape) = up.forward(x, pass, in: pass.arena)
    let product = pass.arena(forInputOf: down).matrix(rows: gated.rows, columns: gated.columns)
    pass.elementwise {
      fk_swiglu_forward(gated.base, raised.base, product.base, gated.rows, gated.columns)
    }
    let (y, downTape) = down.forward(product.view, pass, in: arena)
    let tape = Tape(gate: gateTape, up: upTape, gated: gated.view, raised: raised.view, down: downTape)
    return (y, tape)
  }

  /// Adds the gradients of the factors and, where it is wanted, that of the input.
  func backward(
    _ dy: MatrixView<Float>, _ tape: Tape, _ inputGradient: AdaptedLinear.InputGradient, _ pass: Pass
  ) {
    let mark = pass.arena.mark
    defer { pass.arena.release(to: mark) }
    guard inputGradient.isWanted || adaptsInputs else {
      return down.backward(dy, tape.down, .unwanted, pass)
    }
    let dGate = pass.arena.matrix(rows: dy.rows, columns: tape.gated.columns)
    let dUp = pass.arena.matrix(rows: dy.rows, columns: tape.gated.columns)
    down.backward(dy, tape.down, .new(dGate), pass)
    pass.elementwise {
      fk_swiglu_backward(
        tape.gated.base, tape.raised.base, dGate.base, dUp.base, dGate.rows, dGate.columns)
    }
    gate.backward(dGate.view, tape.gate, inputGradient, pass)
    up.backward(dUp.view, tape.up, inputGradient.further, pass)
  }
}
