internal import CKernels
internal import LinearAlgebra

/// Multi-head attention of every token over the tokens of its own sequence; sequences are packed one
/// after another, so that no padding is computed.
///
/// Letters: T tokens in all, L tokens of one sequence, H heads of size D, h = H·D.
struct SelfAttention: Sendable {
  let heads: Int
  let headSize: Int

  private var scale: Float { 1 / Float(headSize).squareRoot() }

  /// Queries, keys and values of the batch, T×h each, and the probabilities: for each sequence and head
  /// an L×L block, one after another.
  struct Tape {
    let query: MatrixView<Float>
    let key: MatrixView<Float>
    let value: MatrixView<Float>
    let probabilities: UnsafeMutablePointer<Float>
  }

  /// `softmax(Q Kᵀ / √D) V` per sequence and head, T×h.
  func forward(
    query: MatrixView<Float>, key: MatrixView<Float>, value: MatrixView<Float>, offsets: [Int], _ arena: Arena
  ) -> (context: MutableMatrixView<Float>, tape: Tape) {
    let context = arena.matrix(rows: query.rows, columns: query.columns)
    let probabilities = arena.floats(scoreCount(offsets))
    let tape = Tape(query: query, key: key, value: value, probabilities: probabilities)
    forEachBlock(offsets, probabilities) { tokens, columns, block in
      multiply(
        query.rows(tokens).columns(columns), .asStored, key.rows(tokens).columns(columns), .transposed,
        into: block)
      fk_softmax_forward(block.base, block.rows, block.columns, scale)
      multiply(
        block.view, .asStored, value.rows(tokens).columns(columns), .asStored,
        into: context.rows(tokens).columns(columns))
    }
    return (context, tape)
  }

  /// Which gradients are wanted.
  struct Wanted {
    var query: Bool
    var key: Bool
    var value: Bool
  }

  /// The gradients of queries, keys and values, T×h each; nil where not wanted.
  func backward(
    _ dContext: MatrixView<Float>, _ tape: Tape, offsets: [Int], wanted: Wanted, _ arena: Arena
  ) -> (query: MatrixView<Float>?, key: MatrixView<Float>?, value: MatrixView<Float>?) {
    func room(_ isWanted: Bool) -> MutableMatrixView<Float>? {
      isWanted ? arena.matrix(rows: dContext.rows, columns: dContext.columns) : nil
    }
    let (dQuery, dKey, dValue) = (room(wanted.query), room(wanted.key), room(wanted.value))
    let longest = zip(offsets, offsets.dropFirst()).map { $1 - $0 }.max() ?? 0
    let scratch = arena.floats(longest * longest)
    forEachBlock(offsets, tape.probabilities) { tokens, columns, block in
      func part(_ view: MatrixView<Float>) -> MatrixView<Float> { view.rows(tokens).columns(columns) }
      func part(_ view: MutableMatrixView<Float>) -> MutableMatrixView<Float> {
        view.rows(tokens).columns(columns)
      }
      let upstream = part(dContext)
      if let dValue { multiply(block.view, .transposed, upstream, .asStored, into: part(dValue)) }
      guard wanted.query || wanted.key else { return }
      let dScores = MutableMatrixView(scratch, rows: block.rows, columns: block.columns)
      multiply(upstream, .asStored, part(tape.value), .transposed, into: dScores)
      fk_softmax_backward(block.base, dScores.base, block.rows, block.columns, scale)
      if let dQuery { multiply(dScores.view, .asStored, part(tape.key), .asStored, into: part(dQuery)) }
      if let dKey { multiply(dScores.view, .transposed, part(tape.query), .asStored, into: part(dKey)) }
    }
    return (dQuery?.view, dKey?.view, dValue?.view)
  }

  private func scoreCount(_ offsets: [Int]) -> Int {
    heads * zip(offsets, offsets.dropFirst()).reduce(0) { $0 + ($1.1 - $1.0) * ($1.1 - $1.0) }
  }

  /// Visits the L×L blocks of all sequences and heads with their token rows and the head's columns.
  private func forEachBlock(
    _ offsets: [Int], _ scores: UnsafeMutablePointer<Float>,
    _ body: (Range<Int>, Range<Int>, MutableMatrixView<Float>) -> Void
  ) {
    var next = scores
    for (start, end) in zip(offsets, offsets.dropFirst()) {
      let length = end - start
      for head in 0..<heads {
        let columns = head * headSize..<(head + 1) * headSize
        body(start..<end, columns, MutableMatrixView(next, rows: length, columns: length))
        next += length * length
      }
    }
  }
}
