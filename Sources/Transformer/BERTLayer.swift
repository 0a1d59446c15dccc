internal import LinearAlgebra

/// One block of BERT: attention and feed-forward, each followed by the normalised sum with its input.
struct BERTLayer: Block {
  let attention: AttentionProjections
  let attentionNorm: LayerNorm
  let intermediate: AdaptedLinear
  let activation: Activation
  let output: AdaptedLinear
  let outputNorm: LayerNorm

  var isAdapted: Bool { attention.isAdapted || intermediate.isAdapted || output.isAdapted }

  struct Tape {
    let tokens: BlockTokens
    let attention: AttentionProjections.Tape
    let attentionNorm: LayerNorm.Tape
    let intermediate: AdaptedLinear.Tape
    /// The input of the activation, T × feed-forward size.
    let beforeActivation: MatrixView<Float>
    let output: AdaptedLinear.Tape
    let outputNorm: LayerNorm.Tape
  }

  func forward(
    _ x: MatrixView<Float>, _ tokens: BlockTokens, _ pass: Pass
  ) -> (y: MatrixView<Float>, tape: Tape) {
    let read = tokens.reading?.rows(of: x, pass) ?? x
    let (attended, attendedTape) = attention.forward(read: read, all: x, tokens, pass)
    let (h, normTape) = attentionNorm.forward(
      attended.view, residual: read, pass, in: pass.arena(forInputOf: intermediate))
    let (wide, wideTape) = intermediate.forward(h.view, pass, in: pass.arena)
    let activated = pass.elementwise { activation.forward(wide.view, pass.arena(forInputOf: output)) }
    let (narrow, narrowTape) = output.forward(activated.view, pass, in: pass.transient)
    let (y, outputTape) = outputNorm.forward(narrow.view, residual: h.view, pass, in: pass.arena)
    let tape = Tape(
      tokens: tokens, attention: attendedTape, attentionNorm: normTape, intermediate: wideTape,
      beforeActivation: wide.view, output: narrowTape, outputNorm: outputTape)
    return (y.view, tape)
  }

  func backward(
    _ dy: MatrixView<Float>, _ tape: Tape, wantsInput: Bool, _ pass: Pass
  ) -> MutableMatrixView<Float>? {
    // The sum before the norm hands its gradient to both of its terms.
    let dSum = outputNorm.backward(dy, tape.outputNorm, pass, in: pass.transient)
    let goesOn = wantsInput || attention.isAdapted
    feedForwardBackward(dSum, tape, wantsInput: goesOn, pass)
    guard goesOn else { return nil }
    let dAttended = attentionNorm.backward(dSum.view, tape.attentionNorm, pass, in: pass.arena)
    guard wantsInput else {
      attention.backward(
        dAttended.view, tape.attention, tape.tokens, read: .unwanted, all: .unwanted, pass)
      return nil
    }
    guard let reading = tape.tokens.reading else {
      attention.backward(
        dAttended.view, tape.attention, tape.tokens, read: .added(dAttended), all: .added(dAttended), pass)
      return dAttended
    }
    let dx = pass.arena.zeros(rows: tape.tokens.count, columns: dAttended.columns)
    attention.backward(
      dAttended.view, tape.attention, tape.tokens, read: .added(dAttended), all: .added(dx), pass)
    reading.add(dAttended.view, to: dx, pass)
    return dx
  }

  /// `dSum` is the gradient of the feed-forward block's result; its input's gradient is added to it.
  private func feedForwardBackward(
    _ dSum: MutableMatrixView<Float>, _ tape: Tape, wantsInput: Bool, _ pass: Pass
  ) {
    let mark = pass.arena.mark
    defer { pass.arena.release(to: mark) }
    guard wantsInput || intermediate.isAdapted else {
      return output.backward(dSum.view, tape.output, .unwanted, pass)
    }
    let dWide = pass.arena.matrix(rows: dSum.rows, columns: intermediate.weight.rows)
    output.backward(dSum.view, tape.output, .new(dWide), pass)
    pass.elementwise { activation.backward(tape.beforeActivation, dWide) }
    intermediate.backward(dWide.view, tape.intermediate, wantsInput ? .added(dSum) : .unwanted, pass)
  }
}
