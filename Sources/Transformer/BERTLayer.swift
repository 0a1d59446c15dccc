internal import LinearAlgebra

/// One block of BERT: attention and feed-forward, each followed by the normalised sum with its input.
struct BERTLayer: Sendable {
  let query: AdaptedLinear
  let key: AdaptedLinear
  let value: AdaptedLinear
  let attention: SelfAttention
  let attentionOutput: AdaptedLinear
  let attentionNorm: LayerNorm
  let intermediate: AdaptedLinear
  let activation: Activation
  let output: AdaptedLinear
  let outputNorm: LayerNorm

  private var adaptsProjections: Bool { query.isAdapted || key.isAdapted || value.isAdapted }
  private var adaptsAttention: Bool { adaptsProjections || attentionOutput.isAdapted }
  var isAdapted: Bool { adaptsAttention || intermediate.isAdapted || output.isAdapted }

  /// Where the sequences of a packed batch lie, and what is read of the result.
  struct Tokens {
    let offsets: [Int]
    /// Nil where all of it is.
    let reading: ReadTokens?

    var attention: SelfAttention.Sequences {
      SelfAttention.Sequences(queries: reading?.offsets ?? offsets, keys: offsets)
    }
  }

  struct Tape {
    let tokens: Tokens
    let query: AdaptedLinear.Tape
    let key: AdaptedLinear.Tape
    let value: AdaptedLinear.Tape
    let attention: SelfAttention.Tape
    let attentionOutput: AdaptedLinear.Tape
    let attentionNorm: LayerNorm.Tape
    let intermediate: AdaptedLinear.Tape
    /// The input of the activation, T × feed-forward size.
    let beforeActivation: MatrixView<Float>
    let output: AdaptedLinear.Tape
    let outputNorm: LayerNorm.Tape
  }

  /// Shapes: x T×h, the result R×h for R tokens that are read: keys and values are of all tokens, everything
  /// else of these alone.
  func forward(
    _ x: MatrixView<Float>, _ tokens: Tokens, _ pass: Pass
  ) -> (y: MatrixView<Float>, tape: Tape) {
    let read = tokens.reading?.rows(of: x, pass) ?? x
    let (q, queryTape) = query.forward(read, pass, in: pass.arena)
    let (k, keyTape) = key.forward(x, pass, in: pass.arena)
    let (v, valueTape) = value.forward(x, pass, in: pass.arena)
    let (context, attentionTape) = attention.forward(
      query: q.view, key: k.view, value: v.view, tokens.attention, pass,
      in: pass.arena(forInputOf: attentionOutput))
    let (attended, attendedTape) = attentionOutput.forward(context.view, pass, in: pass.transient)
    let (h, normTape) = attentionNorm.forward(
      attended.view, residual: read, pass, in: pass.arena(forInputOf: intermediate))
    let (wide, wideTape) = intermediate.forward(h.view, pass, in: pass.arena)
    let activated = pass.elementwise { activation.forward(wide.view, pass.arena(forInputOf: output)) }
    let (narrow, narrowTape) = output.forward(activated.view, pass, in: pass.transient)
    let (y, outputTape) = outputNorm.forward(narrow.view, residual: h.view, pass, in: pass.arena)
    let tape = Tape(
      tokens: tokens, query: queryTape, key: keyTape, value: valueTape, attention: attentionTape,
      attentionOutput: attendedTape, attentionNorm: normTape, intermediate: wideTape,
      beforeActivation: wide.view, output: narrowTape, outputNorm: outputTape)
    return (y.view, tape)
  }

  /// Adds the gradients of this block's factors. Returns the input's gradient, T×h, where a lower block
  /// is adapted; otherwise goes no further down than this block's lowest adapted layer.
  func backward(
    _ dy: MatrixView<Float>, _ tape: Tape, wantsInput: Bool, _ pass: Pass
  ) -> MutableMatrixView<Float>? {
    // The sum before the norm hands its gradient to both of its terms.
    let dSum = outputNorm.backward(dy, tape.outputNorm, pass, in: pass.transient)
    let goesOn = wantsInput || adaptsAttention
    feedForwardBackward(dSum, tape, wantsInput: goesOn, pass)
    guard goesOn else { return nil }
    let dAttended = attentionNorm.backward(dSum.view, tape.attentionNorm, pass, in: pass.arena)
    guard wantsInput else {
      attentionBackward(dAttended, tape, dInput: nil, pass)
      return nil
    }
    guard let reading = tape.tokens.reading else {
      attentionBackward(dAttended, tape, dInput: dAttended, pass)
      return dAttended
    }
    let dx = pass.arena.zeros(rows: tape.tokens.offsets.last!, columns: dAttended.columns)
    attentionBackward(dAttended, tape, dInput: dx, pass)
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

  /// `dAttended`, R×h, is the gradient of the attention block's result. The gradient of the rows that it is
  /// computed for is added to it, that of all tokens' rows to `dInput`, T×h, the same where all are read; nil
  /// where neither is wanted.
  private func attentionBackward(
    _ dAttended: MutableMatrixView<Float>, _ tape: Tape, dInput: MutableMatrixView<Float>?, _ pass: Pass
  ) {
    let mark = pass.arena.mark
    defer { pass.arena.release(to: mark) }
    let wantsInput = dInput != nil
    guard wantsInput || adaptsProjections else {
      return attentionOutput.backward(dAttended.view, tape.attentionOutput, .unwanted, pass)
    }
    let dContext = pass.arena.matrix(rows: dAttended.rows, columns: dAttended.columns)
    attentionOutput.backward(dAttended.view, tape.attentionOutput, .new(dContext), pass)
    let wanted = SelfAttention.Wanted(
      query: wantsInput || query.isAdapted, key: wantsInput || key.isAdapted,
      value: wantsInput || value.isAdapted)
    let gradients = attention.backward(
      dContext.view, tape.attention, tape.tokens.attention, wanted: wanted, pass)
    let read: AdaptedLinear.InputGradient = wantsInput ? .added(dAttended) : .unwanted
    let all: AdaptedLinear.InputGradient = dInput.map { .added($0) } ?? .unwanted
    if let dQuery = gradients.query { query.backward(dQuery, tape.query, read, pass) }
    if let dKey = gradients.key { key.backward(dKey, tape.key, all, pass) }
    if let dValue = gradients.value { value.backward(dValue, tape.value, all, pass) }
  }
}
