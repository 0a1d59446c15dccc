internal import CKernels
internal import LinearAlgebra

/// Multi-head attention of tokens over the tokens of their own sequence; sequences are packed one after
/// another, so that no padding is computed.
///
/// Letters: T tokens in all, of which R have a query (mostly all); L tokens and M queries of one sequence; H
/// heads of size D, h = H·D.
struct SelfAttention: Sendable {
  let heads: Int
  let headSize: Int

  private var scale: Float { 1 / Float(headSize).squareRoot() }

  /// Where each sequence's queries, and its keys and values, begin among those of the batch.
  struct Sequences {
    let queries: [Int]
    let keys: [Int]

    fileprivate var ranges: [(queries: Range<Int>, keys: Range<Int>)] {
      keys.indices.dropLast().map { (queries[$0]..<queries[$0 + 1], keys[$0]..<keys[$0 + 1]) }
    }
  }

  /// Queries (R×h), keys and values (T×h) of the batch, and the probabilities: for each sequence and head an
  /// M×L block, one after another.
  struct Tape {
    let query: MatrixView<Float>
    let key: MatrixView<Float>
    let value: MatrixView<Float>
    let probabilities: UnsafeMutablePointer<Float>
  }

  /// `softmax(Q Kᵀ / √D) V` per sequence and head, R×h, in `arena`.
  func forward(
    query: MatrixView<Float>, key: MatrixView<Float>, value: MatrixView<Float>, _ sequences: Sequences,
    _ pass: Pass, in arena: Arena
  ) -> (context: MutableMatrixView<Float>, tape: Tape) {
    let context = arena.matrix(rows: query.rows, columns: query.columns)
    let probabilities = pass.arena.floats(scoreCount(sequences))
    let tape = Tape(query: query, key: key, value: value, probabilities: probabilities)
    forEachBlock(sequences, probabilities) { queries, keys, columns, block in
      pass.multiply(
        .attention, query.rows(queries).columns(columns), .asStored, key.rows(keys).columns(columns),
        .transposed,
        into: block)
      pass.elementwise { fk_softmax_forward(block.base, block.rows, block.columns, scale) }
      pass.multiply(
        .attention, block.view, .asStored, value.rows(keys).columns(columns), .asStored,
        into: context.rows(queries).columns(columns))
    }
    return (context, tape)
  }

  /// Which gradients are wanted.
  struct Wanted {
    var query: Bool
    var key: Bool
    var value: Bool
  }

  /// The gradients of queries (R×h), keys and values (T×h); nil where not wanted.
  func backward(
    _ dContext: MatrixView<Float>, _ tape: Tape, _ sequences: Sequences, wanted: Wanted, _ pass: Pass
  ) -> (query: MatrixView<Float>?, key: MatrixView<Float>?, value: MatrixView<Float>?) {
    func room(_ isWanted: Bool, as view: MatrixView<Float>) -> MutableMatrixView<Float>? {
      isWanted ? pass.arena.matrix(rows: view.rows, columns: view.columns) : nil
    }
    let dQuery = room(wanted.query, as: tape.query)
    let (dKey, dValue) = (room(wanted.key, as: tape.key), room(wanted.value, as: tape.value))
    let scratch = pass.arena.floats(sequences.ranges.map { $0.queries.count * $0.keys.count }.max() ?? 0)
    forEachBlock(sequences, tape.probabilities) { queries, keys, columns, block in
      let upstream = dContext.rows(queries).columns(columns)
      if let dValue {
        pass.multiply(
          .attention, block.view, .transposed, upstream, .asStored, into: dValue.rows(keys).columns(columns))
      }
      guard wanted.query || wanted.key else { return }
      let dScores = MutableMatrixView(scratch, rows: block.rows, columns: block.columns)
      pass.multiply(
        .attention, upstream, .asStored, tape.value.rows(keys).columns(columns), .transposed, into: dScores)
      pass.elementwise { fk_softmax_backward(block.base, dScores.base, block.rows, block.columns, scale) }
      if let dQuery {
        pass.multiply(
          .attention, dScores.view, .asStored, tape.key.rows(keys).columns(columns), .asStored,
          into: dQuery.rows(queries).columns(columns))
      }
      if let dKey {
        pass.multiply(
          .attention, dScores.view, .transposed, tape.query.rows(queries).columns(columns), .asStored,
          into: dKey.rows(keys).columns(columns))
      }
    }
    return (dQuery?.view, dKey?.view, dValue?.view)
  }

  private func scoreCount(_ sequences: Sequences) -> Int {
    heads * sequences.ranges.reduce(0) { $0 + $1.queries.count * $1.keys.count }
  }

  /// Visits the M×L blocks of all sequences and heads with their rows and the head's columns.
  private func forEachBlock(
    _ sequences: Sequences, _ scores: UnsafeMutablePointer<Float>,
    _ body: (_ queries: Range<Int>, _ keys: Range<Int>, _ columns: Range<Int>, MutableMatrixView<Float>) ->
      Void
  ) {
    var next = scores
    for (queries, keys) in sequences.ranges {
      for head in 0..<heads {
        let columns = head * headSize..<(head + 1) * headSize
        body(queries, keys, columns, MutableMatrixView(next, rows: queries.count, columns: keys.count))
        next += queries.count * keys.count
      }
    }
  }
}
