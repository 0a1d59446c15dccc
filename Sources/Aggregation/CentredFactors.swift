internal import LinearAlgebra

/// One of the two factors of every client of a cohort.
enum Side {
  /// `B_u`
  case left
  /// `A_u`
  case right

  var other: Side { self == .left ? .right : .left }

  /// How a tile of the side's stack is to be read to have one row for each of its `(U+1) r` vectors: the `B_u`
  /// lie side by side as they come, the `A_u` one below the other.
  var tileOrientation: Orientation { self == .left ? .transposed : .asStored }
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
  let adapterRank: Int
  let weights: [Double]
  private let left: [MatrixView<Float>]
  private let right: [MatrixView<Float>]

  var clientCount: Int { weights.count }
  var blockCount: Int { clientCount + 1 }
  /// (U+1) r
  var rowCount: Int { blockCount * adapterRank }

  /// All clients have one adapter rank.
  init(_ updates: LayerUpdates) {
    adapterRank = updates.largestAdapterRank
    weights = updates.weights
    left = updates.clients.map(\.b)
    right = updates.clients.map(\.a)
  }

  /// `outputs` (left) or `inputs` (right).
  func columnCount(_ side: Side) -> Int { side == .left ? left[0].rows : right[0].columns }

  /// All blocks of a side, one below the other: (U+1) r × outputs, the transposed blocks of `B`, or (U+1) r ×
  /// inputs, those of `A`.
  func stack(_ side: Side) -> Matrix<Scalar> {
    let (rows, columns) = (rowCount, columnCount(side))
    // Written once, without clearing it first: at 4096×4096 that is half of the time.
    let elements = [Scalar](unsafeUninitializedCapacity: rows * columns) { target, count in
      count = rows * columns
      guard let base = target.baseAddress, count > 0 else { return }
      let stack = MutableMatrixView(base, rows: rows, columns: columns)
      guard side == .left else { return write(side, 0..<columns, into: stack) }
      forEachTile(side) { tile, range in transpose(tile, into: stack.columns(range)) }
    }
    return Matrix(rows: rows, columns: columns, elements: elements)
  }

  /// Lends a side's blocks by ranges of outputs or inputs: range × (U+1) r (left) or (U+1) r × range (right).
  /// The tiles share one buffer, which stays in the cache: large stacks never touch fresh memory.
  func forEachTile(_ side: Side, _ body: (MatrixView<Scalar>, Range<Int>) -> Void) {
    let count = columnCount(side)
    let width = min(count, Self.tileWidth(rowCount))
    guard rowCount > 0, width > 0 else { return }
    withUnsafeTemporaryAllocation(of: Scalar.self, capacity: rowCount * width) { buffer in
      for start in stride(from: 0, to: count, by: width) {
        let range = start..<min(start + width, count)
        let (rows, columns) = side == .left ? (range.count, rowCount) : (rowCount, range.count)
        let tile = MutableMatrixView(buffer.baseAddress!, rows: rows, columns: columns)
        write(side, range, into: tile)
        body(tile.view, range)
      }
    }
  }

  /// Half a megabyte of Float32 or, for many rows, what a product takes at a time.
  private static func tileWidth(_ rows: Int) -> Int { max(320, (1 << 17) / max(rows, 1) & ~63) }

  private func write(_ side: Side, _ range: Range<Int>, into tile: MutableMatrixView<Scalar>) {
    let r = adapterRank
    guard r > 0 else { return }
    // So much of every client at a time that the second look at it, after the mean is known, finds it in a cache.
    let (height, width) = side == .left ? (max(1, 1024 / r), r) : (1, min(1024, range.count))
    let (rows, columns) = side == .left ? (range, 0..<r) : (0..<r, range)
    withSplitMean(capacity: height * width) { centre in
      for top in stride(from: rows.lowerBound, to: rows.upperBound, by: height) {
        for start in stride(from: columns.lowerBound, to: columns.upperBound, by: width) {
          let part = MatrixPart(
            rows: top..<min(top + height, rows.upperBound),
            columns: start..<min(start + width, columns.upperBound))
          write(side, part, &centre, into: tile, from: range.lowerBound)
        }
      }
    }
  }

  /// One part of every block, into a tile that begins at output or input `first`.
  private func write(
    _ side: Side, _ part: MatrixPart, _ centre: inout SplitMean<Scalar>,
    into tile: MutableMatrixView<Scalar>, from first: Int
  ) {
    let terms = side == .left ? left : right
    let (top, start) = (part.rows.lowerBound, part.columns.lowerBound)
    centre.average(terms, weights, part)
    for block in 0..<blockCount {
      let offset = block * adapterRank
      let (row, column) = side == .left ? (top - first, offset) : (offset + top, start - first)
      let target = tile.rows(row..<row + part.rows.count).columns(column..<column + part.columns.count)
      centre.write(block == 0 ? nil : terms[block - 1].part(part), into: target)
    }
  }
}

/// Lends a mean with its memory.
private func withSplitMean<Scalar: LAPACKScalar>(
  capacity: Int, _ body: (inout SplitMean<Scalar>) -> Void
) {
  withUnsafeTemporaryAllocation(of: Double.self, capacity: capacity) { sums in
    withUnsafeTemporaryAllocation(of: Scalar.self, capacity: 2 * capacity) { parts in
      var centre = SplitMean(sums: sums.baseAddress!, parts: parts.baseAddress!, capacity: capacity)
      body(&centre)
    }
  }
}

/// A mean as two numbers of `Scalar` each: what it rounds to and what that leaves. A difference from both, one
/// after the other, is as good as one from the mean in Float64, and needs no conversion.
private struct SplitMean<Scalar: LAPACKScalar> {
  private let sums: UnsafeMutablePointer<Double>
  private let mean: UnsafeMutablePointer<Scalar>
  private let rest: UnsafeMutablePointer<Scalar>

  /// Lent memory: `capacity` sums and twice as many parts.
  init(sums: UnsafeMutablePointer<Double>, parts: UnsafeMutablePointer<Scalar>, capacity: Int) {
    self.sums = sums
    (mean, rest) = (parts, parts + capacity)
  }

  /// The weighted mean of a part of all terms.
  mutating func average(_ terms: [MatrixView<Float>], _ weights: [Double], _ part: MatrixPart) {
    writeSum(terms, weights, part, into: sums)
    for index in 0..<part.rows.count * part.columns.count {
      mean[index] = Scalar(sums[index])
      rest[index] = Scalar(sums[index] - Double(mean[index]))
    }
  }

  /// A term's difference from the mean, or the mean itself.
  func write(_ term: MatrixView<Float>?, into target: MutableMatrixView<Scalar>) {
    for row in 0..<target.rows {
      let (centre, small) = (mean + row * target.columns, rest + row * target.columns)
      let to = target.base + row * target.stride
      if let term {
        let from = term.base + row * term.stride
        for column in 0..<target.columns {
          to[column] = Scalar(from[column]) - centre[column] - small[column]
        }
      } else {
        to.update(from: centre, count: target.columns)
      }
    }
  }
}
