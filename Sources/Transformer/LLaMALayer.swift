internal import CKernels
internal import LinearAlgebra

/// One block of LLaMA: attention and gated feed-forward, each of the normalised sum so far, to which it adds.
struct LLaMALayer: Block {
  let inputNorm: RMSNorm
  let attention: AttentionProjections
  let attendedNorm: RMSNorm
  let feedForward: GatedFeedForward

  var isAdapted: Bool { attention.isAdapted || feedForward.isAdapted }

  struct Tape {
    let tokens: BlockTokens
    let inputNorm: RMSNorm.Tape
    let attention: AttentionProjections.Tape
    let attendedNorm: RMSNorm.Tape
    let feedForward: GatedFeedForward.Tape
  }

  func forward(
    _ x: MatrixView<Float>, _ tokens: BlockTokens, _ pass: Pass
  ) -> (y: MatrixView<Float>, tape: Tape) {
    let (all, inputTape) = inputNorm.forward(
      x, residual: nil, pass, in: pass.arena(forInputOf: attention.inputs))
    let read = tokens.reading?.rows(of: all.view, pass) ?? all.view
    let residual = tokens.reading?.rows(of: x, pass) ?? x
    let (attended, attentionTape) = attention.forward(read: read, all: all.view, tokens, pass)
    let (normalised, attendedTape) = attendedNorm.forward(
      attended.view, residual: residual, pass, in: pass.arena(forInputOf: feedForward.inputs))
    let (y, feedForwardTape) = feedForward.forward(normalised.view, pass, in: pass.arena)
    pass.elementwise { fk_add(y.base, attendedTape.sum.base, y.rows * y.columns) }
    let tape = Tape(
      tokens: tokens, inputNorm: inputTape, attention: attentionTape, attendedNorm: attendedTape,
      feedForward: feedForwardTape)
    return (y.view, tape)
  }

  func backward(
    _ dy: MatrixView<Float>, _ tape: Tape, wantsInput: Bool, _ pass: Pass
  ) -> MutableMatrixView<Float>? {
    let dx = wantsInput ? pass.arena.matrix(rows: tape.tokens.count, columns: dy.columns) : nil
    let mark = pass.arena.mark
    defer { pass.arena.release(to: mark) }
    guard wantsInput || attention.isAdapted else {
      feedForward.backward(dy, tape.feedForward, .unwanted, pass)
      return nil
    }
    let dNormalised = pass.arena.matrix(rows: dy.rows, columns: dy.columns)
    let dSum = pass.arena.matrix(rows: dy.rows, columns: dy.columns)
    feedForward.backward(dy, tape.feedForward, .new(dNormalised), pass)
    attendedNorm.backward(dNormalised.view, tape.attendedNorm, skip: dy, into: dSum, pass)
    attentionBackward(dSum.view, tape, dx, pass)
    return dx
  }

  /// `dSum`, R×h, is the gradient of the sum behind the attention; `dx`, T×h, that of the input, where it is wanted.
  private func attentionBackward(
    _ dSum: MatrixView<Float>, _ tape: Tape, _ dx: MutableMatrixView<Float>?, _ pass: Pass
  ) {
    func backward(read: AdaptedLinear.InputGradient, all: AdaptedLinear.InputGradient) {
      attention.backward(dSum, tape.attention, tape.tokens, read: read, all: all, pass)
    }
    guard let dx else { return backward(read: .unwanted, all: .unwanted) }
    let dAll = pass.arena.matrix(rows: dx.rows, columns: dx.columns)
    guard let reading = tape.tokens.reading else {
      backward(read: .new(dAll), all: .added(dAll))
      return inputNorm.backward(dAll.view, tape.inputNorm, skip: dSum, into: dx, pass)
    }
    let dRead = pass.arena.matrix(rows: dSum.rows, columns: dSum.columns)
    backward(read: .new(dRead), all: .new(dAll))
    reading.add(dRead.view, to: dAll, pass)
    inputNorm.backward(dAll.view, tape.inputNorm, skip: nil, into: dx, pass)
    reading.add(dSum, to: dx, pass)
  }
}
