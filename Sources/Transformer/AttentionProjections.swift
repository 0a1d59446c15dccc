internal import LinearAlgebra

/// Attention with the linear layers around it, in which adapters may be.
///
/// Letters: T tokens, of which R are read.
struct AttentionProjections: Sendable {
  let query: AdaptedLinear
  let key: AdaptedLinear
  let value: AdaptedLinear
  let attention: SelfAttention
  let output: AdaptedLinear

  private var adaptsInputs: Bool { query.isAdapted || key.isAdapted || value.isAdapted }
  var isAdapted: Bool { adaptsInputs || output.isAdapted }

  /// The layers whose input is the block's.
  var inputs: [AdaptedLinear] { [query, key, value] }

  struct Tape {
    let query: AdaptedLinear.Tape
    let key: AdaptedLinear.Tape
    let value: AdaptedLinear.Tape
    let attention: SelfAttention.Tape
    let output: AdaptedLinear.Tape
  }

  /// The result for the tokens that are read, in transient memory: `read` is their input, R×h, `all` that of all
  /// tokens, T×h.
  func forward(
    read: MatrixView<Float>, all: MatrixView<Float>, _ tokens: BlockTokens, _ pass: Pass
  ) -> (y: MutableMatrixView<Float>, tape: Tape) {
    let (q, queryTape) = query.forward(read, pass, in: pass.arena)
    let (k, keyTape) = key.forward(all, pass, in: pass.arena)
    let (v, valueTape) = value.forward(all, pass, in: pass.arena)
    turn(q, k, .forward, tokens, pass)
    pass.elementwise { tokens.cache?.store(k.view, v.view) }
    let (context, attentionTape) = attention.forward(
      query: q.view, key: tokens.cache?.keys.view ?? k.view, value: tokens.cache?.values.view ?? v.view,
      tokens.attention, pass, in: pass.arena(forInputOf: output))
    let (y, outputTape) = output.forward(context.view, pass, in: pass.transient)
    let tape = Tape(
      query: queryTape, key: keyTape, value: valueTape, attention: attentionTape, output: outputTape)
    return (y, tape)
  }

  /// Adds the gradients of the factors, given that of the result, `dy` R×h. What the queries add to the gradient of
  /// the tokens that are read goes to `read`, what keys and values add to that of all tokens to `all`: both are
  /// wanted or neither.
  func backward(
    _ dy: MatrixView<Float>, _ tape: Tape, _ tokens: BlockTokens, read: AdaptedLinear.InputGradient,
    all: AdaptedLinear.InputGradient, _ pass: Pass
  ) {
    let mark = pass.arena.mark
    defer { pass.arena.release(to: mark) }
    guard read.isWanted || adaptsInputs else {
      return output.backward(dy, tape.output, .unwanted, pass)
    }
    let dContext = pass.arena.matrix(rows: dy.rows, columns: output.weight.columns)
    output.backward(dy, tape.output, .new(dContext), pass)
    let wanted = SelfAttention.Wanted(
      query: read.isWanted || query.isAdapted, key: all.isWanted || key.isAdapted,
      value: all.isWanted || value.isAdapted)
    let (dQuery, dKey, dValue) = attention.backward(
      dContext.view, tape.attention, tokens.attention, wanted: wanted, pass)
    turn(dQuery, dKey, .backward, tokens, pass)
    if let dQuery { query.backward(dQuery.view, tape.query, read, pass) }
    if let dKey { key.backward(dKey.view, tape.key, all, pass) }
    if let dValue { value.backward(dValue.view, tape.value, all.further, pass) }
  }

  /// Turns queries and keys, or their gradients, by the angles of their positions, where the model has such.
  private func turn(
    _ query: MutableMatrixView<Float>?, _ key: MutableMatrixView<Float>?, _ direction: Rotation.Direction,
    _ tokens: BlockTokens, _ pass: Pass
  ) {
    guard let rotation = tokens.rotation else { return }
    if let query { rotation.turn(query, heads: attention.heads, rotation.queries, direction, pass) }
    if let key { rotation.turn(key, heads: attention.keyValueHeads, rotation.keys, direction, pass) }
  }
}
