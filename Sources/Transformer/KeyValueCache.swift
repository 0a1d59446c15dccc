internal import LinearAlgebra

/// The keys (turned by their positions) and values of every block of the sequences that are being continued: for
/// each block two matrices, in whose rows each sequence has room for its longest.
struct KeyValueCache {
  private let blocks: [(keys: MutableMatrixView<Float>, values: MutableMatrixView<Float>)]
  /// Where each sequence's rows begin.
  private let starts: [Int]

  /// Room for sequences of up to `capacities` tokens, `width` numbers a token, in the pass's memory.
  init(blocks: Int, capacities: [Int], width: Int, _ pass: Pass) {
    starts = capacities.reduce(into: [0]) { $0.append($0.last! + $1) }
    let rows = starts.last!
    self.blocks = (0..<blocks).map { _ in
      (pass.arena.matrix(rows: rows, columns: width), pass.arena.matrix(rows: rows, columns: width))
    }
  }

  /// The rows of the first `count` tokens of a sequence.
  func rows(of sequence: Int, count: Int) -> Range<Int> { starts[sequence]..<starts[sequence] + count }

  func layer(_ block: Int, rows: [Int]) -> Layer {
    Layer(keys: blocks[block].keys, values: blocks[block].values, rows: rows)
  }

  /// One block's part, and the rows that the tokens of a batch fill.
  struct Layer {
    let keys: MutableMatrixView<Float>
    let values: MutableMatrixView<Float>
    let rows: [Int]

    /// Keeps keys and values of the batch's tokens.
    func store(_ key: MatrixView<Float>, _ value: MatrixView<Float>) {
      for (token, row) in rows.enumerated() {
        (keys.base + row * keys.stride).update(from: key.base + token * key.stride, count: key.columns)
        (values.base + row * values.stride).update(
          from: value.base + token * value.stride, count: value.columns)
      }
    }
  }
}
