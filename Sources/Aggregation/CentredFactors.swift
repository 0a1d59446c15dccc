internal import LinearAlgebra

/// One of the two factors of every client of a cohort.
enum Side {
  /// `B_u`
  case left
  /// `A_u`
  case right

  var other: Side { self == .left ? .right : .left }
}

/// A cohort's factors as their weighted mean and the differences from it.
///
/// Block 0 is the mean `B̄ = Σ p_u B_u`, block `u` (1…U) is `β_u = B_u − B̄`; likewise for `A`. Every distance
/// from the ideal update is a sum of products of small blocks, so clients that differ by 1e-6 lose no digits:
/// `W* = B̄ Ā + E₀` with `E₀ = Σ p_u β_u α_u`, because `Σ p_u β_u = 0`.
///
/// The differences are those from the mean in Float64: in Float32, too, each block keeps a relative error of 1e-7
/// however small the differences are.
struct CentredFactors<Scalar: LAPACKScalar> {
  private let updates: LayerUpdates
  let adapterRank: Int
  private let left: SplitMean<Scalar>
  private let right: SplitMean<Scalar>

  var clientCount: Int { updates.clients.count }
  var weights: [Double] { updates.weights }
  var blockCount: Int { clientCount + 1 }
  /// (U+1) r
  var rowCount: Int { blockCount * adapterRank }

  /// `averages` are those of `updates`.
  init(_ updates: LayerUpdates, averages: FactorPair) {
    self.updates = updates
    adapterRank = averages.a.rows
    left = SplitMean(averages.b.transposed)
    right = SplitMean(averages.a)
  }

  /// `outputs` (left) or `inputs` (right).
  func columnCount(_ side: Side) -> Int { side == .left ? updates.shape.outputs : updates.shape.inputs }

  /// All blocks of a side, one below the other: (U+1) r × outputs, the transposed blocks of `B`, or (U+1) r ×
  /// inputs, those of `A`.
  func stack(_ side: Side) -> Matrix<Scalar> {
    let (rows, columns) = (rowCount, columnCount(side))
    // Written once, without clearing it first: at 4096×4096 that is half of the time.
    let elements = [Scalar](unsafeUninitializedCapacity: rows * columns) { target, count in
      count = rows * columns
      guard let base = target.baseAddress, count > 0 else { return }
      write(side, 0..<columns, into: MutableMatrixView(base, rows: rows, columns: columns))
    }
    return Matrix(rows: rows, columns: columns, elements: elements)
  }

  /// Lends the stack of a side by ranges of its columns, which share one buffer: it stays in the cache, and large
  /// stacks never touch fresh memory.
  func forEachTile(_ side: Side, _ body: (MatrixView<Scalar>, Range<Int>) -> Void) {
    let columns = columnCount(side)
    let width = rowCount * columns <= 1 << 20 ? columns : min(columns, 1024)
    guard rowCount > 0, width > 0 else { return }
    withUnsafeTemporaryAllocation(of: Scalar.self, capacity: rowCount * width) { buffer in
      for start in stride(from: 0, to: columns, by: width) {
        let range = start..<min(start + width, columns)
        let tile = MutableMatrixView(buffer.baseAddress!, rows: rowCount, columns: range.count)
        write(side, range, into: tile)
        body(tile.view, range)
      }
    }
  }

  private func write(_ side: Side, _ range: Range<Int>, into tile: MutableMatrixView<Scalar>) {
    func block(_ index: Int) -> MutableMatrixView<Scalar> {
      tile.rows(index * adapterRank..<(index + 1) * adapterRank)
    }
    (side == .left ? left : right).withViews(range) { mean, rest in
      copy(mean, into: block(0))
      for (client, term) in updates.clients.enumerated() {
        if side == .left {
          writeTransposedDifference(term.b.rows(range), mean, rest, into: block(client + 1))
        } else {
          writeDifference(term.a.columns(range), mean, rest, into: block(client + 1))
        }
      }
    }
  }
}

/// A mean as two numbers of `Scalar` each: what it rounds to and what that leaves. A difference from both, one
/// after the other, is as good as one from the mean in Float64, and needs no conversion.
private struct SplitMean<Scalar: LAPACKScalar> {
  private let mean: Matrix<Scalar>
  private let rest: Matrix<Scalar>

  init(_ exact: Matrix<Double>) {
    let rounded = exact.elements.map { Scalar($0) }
    let left = zip(exact.elements, rounded).map { Scalar($0 - Double($1)) }
    mean = Matrix(rows: exact.rows, columns: exact.columns, elements: rounded)
    rest = Matrix(rows: exact.rows, columns: exact.columns, elements: left)
  }

  func withViews(_ columns: Range<Int>, _ body: (MatrixView<Scalar>, MatrixView<Scalar>) -> Void) {
    mean.withView { mean in rest.withView { body(mean.columns(columns), $0.columns(columns)) } }
  }
}

private func copy<Scalar: LAPACKScalar>(
  _ source: MatrixView<Scalar>, into target: MutableMatrixView<Scalar>
) {
  for row in 0..<source.rows {
    let start = target.base + row * target.stride
    start.update(from: source.base + row * source.stride, count: source.columns)
  }
}

private func writeDifference<Scalar: LAPACKScalar>(
  _ term: MatrixView<Float>, _ mean: MatrixView<Scalar>, _ rest: MatrixView<Scalar>,
  into target: MutableMatrixView<Scalar>
) {
  for row in 0..<term.rows {
    let from = term.base + row * term.stride
    let (centre, small) = (mean.base + row * mean.stride, rest.base + row * rest.stride)
    let to = target.base + row * target.stride
    for column in 0..<term.columns { to[column] = Scalar(from[column]) - centre[column] - small[column] }
  }
}

/// By tiles of rows, so that each line of the target is written at once.
private func writeTransposedDifference<Scalar: LAPACKScalar>(
  _ term: MatrixView<Float>, _ mean: MatrixView<Scalar>, _ rest: MatrixView<Scalar>,
  into target: MutableMatrixView<Scalar>
) {
  let tile = 32
  for top in stride(from: 0, to: term.rows, by: tile) {
    for column in 0..<term.columns {
      let from = term.base + column
      let (centre, small) = (mean.base + column * mean.stride, rest.base + column * rest.stride)
      let to = target.base + column * target.stride
      for row in top..<min(top + tile, term.rows) {
        to[row] = Scalar(from[row * term.stride]) - centre[row] - small[row]
      }
    }
  }
}
