internal import CKernels
internal import LinearAlgebra

/// Multi-head attention of tokens over tokens of their own sequence; sequences are packed one after another, so
/// that no padding is computed. Several heads of queries may share a head of keys and values (grouped queries:
/// Ainslie et al. 2023).
///
/// Letters: T tokens in all, of which R have a query (mostly all); L keys and M queries of one sequence; H heads of
/// size D, h = H·D; G heads of keys and values, g = G·D.
struct SelfAttention: Sendable {
  let heads: Int
  /// A divisor of `heads`.
  let keyValueHeads: Int
  let headSize: Int
  /// A term of the scores, for as many heads; nil where there is none.
  let relativeBias: RelativeBias?

  private var scale: Float { 1 / Float(headSize).squareRoot() }

  /// Which queries look at which keys.
  struct Sequences {
    /// The rows of each sequence's queries, and of its keys and values.
    let ranges: [(queries: Range<Int>, keys: Range<Int>)]
    /// The place of every query among the keys of its sequence.
    let positions: [Int32]
    /// Whether a query sees no key behind its own place.
    let isCausal: Bool
  }

  /// Queries (R×h), keys and values (T×g) of the batch, and the probabilities: for each sequence and head an M×L
  /// block, one after another.
  struct Tape {
    let query: MatrixView<Float>
    let key: MatrixView<Float>
    let value: MatrixView<Float>
    let probabilities: UnsafeMutablePointer<Float>
  }

  /// `softmax(Q Kᵀ / √D + bias) V` per sequence and head, R×h, in `arena`. A pass without a gradient keeps no
  /// probabilities.
  func forward(
    query: MatrixView<Float>, key: MatrixView<Float>, value: MatrixView<Float>, _ sequences: Sequences,
    _ pass: Pass, in arena: Arena
  ) -> (context: MutableMatrixView<Float>, tape: Tape) {
    let context = arena.matrix(rows: query.rows, columns: query.columns)
    let isKept = pass.gradient != nil
    let probabilities = pass.arena.floats(
      isKept ? heads * sequences.scoreCounts.reduce(0, +) : sequences.scoreCounts.max() ?? 0)
    forEachBlock(sequences, probabilities, isKept: isKept) { block in
      pass.multiply(
        .attention, block.query(query), .asStored, block.key(key), .transposed, into: block.scores)
      pass.elementwise { softmax(block, sequences) }
      pass.multiply(
        .attention, block.scores.view, .asStored, block.key(value), .asStored, into: block.query(context))
    }
    return (context, Tape(query: query, key: key, value: value, probabilities: probabilities))
  }

  private func softmax(_ block: HeadBlock, _ sequences: Sequences) {
    let scores = block.scores
    sequences.positions.withUnsafeBufferPointer {
      let first = $0.baseAddress! + block.queries.lowerBound
      let isCausal: Int32 = sequences.isCausal ? 1 : 0
      guard let relativeBias else {
        return fk_softmax_forward(scores.base, scores.rows, scores.columns, first, isCausal, nil, scale)
      }
      relativeBias.withTerms(ofHead: block.head, keyCount: scores.columns) { terms in
        fk_softmax_forward(scores.base, scores.rows, scores.columns, first, isCausal, terms, scale)
      }
    }
  }

  /// Which gradients are wanted.
  struct Wanted {
    var query: Bool
    var key: Bool
    var value: Bool
  }

  /// The gradients of queries (R×h), keys and values (T×g); nil where not wanted.
  func backward(
    _ dContext: MatrixView<Float>, _ tape: Tape, _ sequences: Sequences, wanted: Wanted, _ pass: Pass
  ) -> (query: MutableMatrixView<Float>?, key: MutableMatrixView<Float>?, value: MutableMatrixView<Float>?) {
    func room(_ isWanted: Bool, as view: MatrixView<Float>) -> MutableMatrixView<Float>? {
      isWanted ? pass.arena.matrix(rows: view.rows, columns: view.columns) : nil
    }
    let dQuery = room(wanted.query, as: tape.query)
    let (dKey, dValue) = (room(wanted.key, as: tape.key), room(wanted.value, as: tape.value))
    let scratch = pass.arena.floats(sequences.scoreCounts.max() ?? 0)
    forEachBlock(sequences, tape.probabilities, isKept: true) { block in
      let upstream = block.query(dContext)
      // The heads of a group add to the same keys and values.
      let beta: Float = block.isFirstOfGroup ? 0 : 1
      if let dValue {
        pass.multiply(
          .attention, block.scores.view, .transposed, upstream, .asStored, into: block.key(dValue), beta: beta
        )
      }
      guard wanted.query || wanted.key else { return }
      let dScores = MutableMatrixView(scratch, rows: block.scores.rows, columns: block.scores.columns)
      pass.multiply(.attention, upstream, .asStored, block.key(tape.value), .transposed, into: dScores)
      pass.elementwise {
        fk_softmax_backward(block.scores.base, dScores.base, dScores.rows, dScores.columns, scale)
      }
      if let dQuery {
        pass.multiply(
          .attention, dScores.view, .asStored, block.key(tape.key), .asStored, into: block.query(dQuery))
      }
      if let dKey {
        pass.multiply(
          .attention, dScores.view, .transposed, block.query(tape.query), .asStored, into: block.key(dKey),
          beta: beta)
      }
    }
    return (dQuery, dKey, dValue)
  }

  /// Visits the M×L blocks of all sequences and heads; what is not kept is overwritten by the next.
  private func forEachBlock(
    _ sequences: Sequences, _ scores: UnsafeMutablePointer<Float>, isKept: Bool, _ body: (HeadBlock) -> Void
  ) {
    var next = scores
    let groupSize = heads / keyValueHeads
    for (queries, keys) in sequences.ranges {
      for head in 0..<heads {
        let shared = head / groupSize
        body(
          HeadBlock(
            head: head, queries: queries, keys: keys, queryColumns: head * headSize..<(head + 1) * headSize,
            keyColumns: shared * headSize..<(shared + 1) * headSize, isFirstOfGroup: head % groupSize == 0,
            scores: MutableMatrixView(next, rows: queries.count, columns: keys.count)))
        if isKept { next += queries.count * keys.count }
      }
    }
  }
}

extension SelfAttention.Sequences {
  /// The numbers of scores of a head, sequence by sequence.
  fileprivate var scoreCounts: [Int] { ranges.map { $0.queries.count * $0.keys.count } }
}

/// What one head computes of one sequence.
private struct HeadBlock {
  let head: Int
  let queries: Range<Int>
  let keys: Range<Int>
  let queryColumns: Range<Int>
  let keyColumns: Range<Int>
  /// Whether it is the first head of those that share keys and values.
  let isFirstOfGroup: Bool
  /// M×L.
  let scores: MutableMatrixView<Float>

  /// The head's part of queries, or of what has their shape.
  func query(_ x: MatrixView<Float>) -> MatrixView<Float> { x.rows(queries).columns(queryColumns) }
  func query(_ x: MutableMatrixView<Float>) -> MutableMatrixView<Float> {
    x.rows(queries).columns(queryColumns)
  }

  /// The head's part of keys or values, or of what has their shape.
  func key(_ x: MatrixView<Float>) -> MatrixView<Float> { x.rows(keys).columns(keyColumns) }
  func key(_ x: MutableMatrixView<Float>) -> MutableMatrixView<Float> { x.rows(keys).columns(keyColumns) }
}
