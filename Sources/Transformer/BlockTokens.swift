internal import CKernels
internal import LinearAlgebra

/// What a block has to know of the tokens that go through it.
struct BlockTokens {
  /// T.
  let count: Int
  /// What is read of the block's result; nil where all of it is.
  let reading: ReadTokens?
  let attention: SelfAttention.Sequences
  /// Nil where positions are part of the embeddings.
  let rotation: Rotation?
  /// Where keys and values are kept for later tokens, and earlier ones found; nil where all are in the batch.
  let cache: KeyValueCache.Layer?

  /// Tokens of whole sequences that see each other.
  init(_ offsets: [Int], reading: ReadTokens?) {
    count = offsets.last!
    self.reading = reading
    let sequences = zip(ranges(reading?.offsets ?? offsets), ranges(offsets)).map { ($0, $1) }
    attention = SelfAttention.Sequences(
      ranges: sequences,
      positions: sequences.flatMap { queries, keys in
        queries.map { Int32((reading?.tokens[$0] ?? $0) - keys.lowerBound) }
      }, isCausal: false)
    rotation = nil
    cache = nil
  }

  /// Tokens of which each sees itself and those before it. `positions` are those of all tokens in their sequences,
  /// `keys` the rows of keys and values that their sequences have.
  init(
    offsets: [Int], positions: [Int32], keys: [Range<Int>], reading: ReadTokens?, table: RotaryTable,
    cache: KeyValueCache.Layer?
  ) {
    count = positions.count
    self.reading = reading
    let queries = reading?.tokens.map { positions[$0] } ?? positions
    attention = SelfAttention.Sequences(
      ranges: zip(ranges(reading?.offsets ?? offsets), keys).map { ($0, $1) }, positions: queries,
      isCausal: true)
    rotation = Rotation(table: table, queries: queries, keys: positions)
    self.cache = cache
  }
}

private func ranges(_ offsets: [Int]) -> [Range<Int>] { zip(offsets, offsets.dropFirst()).map { $0..<$1 } }

/// The turns of a batch's queries and keys by the angles of their positions.
struct Rotation {
  let table: RotaryTable
  /// The positions of the tokens that have a query, and of all.
  let queries: [Int32]
  let keys: [Int32]

  enum Direction: Float {
    case forward = 1
    /// That of gradients.
    case backward = -1
  }

  /// In place; `heads` beside one another in a row of `x`.
  func turn(
    _ x: MutableMatrixView<Float>, heads: Int, _ positions: [Int32], _ direction: Direction, _ pass: Pass
  ) {
    pass.elementwise {
      fk_rotate(
        x.base, x.stride, positions, table.cosines, table.sines, x.rows, heads, x.columns / heads,
        direction.rawValue)
    }
  }
}
