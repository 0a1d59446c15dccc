internal import LinearAlgebra

/// One of the two factors of every client of a cohort.
enum Side {
  /// `B_u`
  case left
  /// `A_u`
  case right

  var other: Side { self == .left ? .right : .left }
}

/// A cohort's factors as their weighted mean and the differences from it, in Float64.
///
/// Block 0 is the mean `B̄ = Σ p_u B_u`, block `u` (1…U) is `β_u = B_u − B̄`; likewise for `A`. Every distance
/// from the ideal update is a sum of products of small blocks, so clients that differ by 1e-6 lose no digits:
/// `W* = B̄ Ā + E₀` with `E₀ = Σ p_u β_u α_u`, because `Σ p_u β_u = 0`.
struct CentredFactors {
  let clientCount: Int
  let adapterRank: Int
  let weights: [Double]
  /// (U+1) r × outputs: the transposed blocks of `B`, one below the other.
  let left: Matrix<Double>
  /// (U+1) r × inputs: the blocks of `A`.
  let right: Matrix<Double>

  var blockCount: Int { clientCount + 1 }

  init(_ updates: LayerUpdates, adapterRank: Int) {
    clientCount = updates.clients.count
    self.adapterRank = adapterRank
    weights = updates.weights
    left = centred(updates.clients.map(\.b), weights, transposed: true)
    right = centred(updates.clients.map(\.a), weights, transposed: false)
  }

  func stack(_ side: Side) -> Matrix<Double> { side == .left ? left : right }
}

/// The weighted mean of equal shapes, then each one's difference from it, one below the other.
private func centred(
  _ terms: [MatrixView<Float>], _ weights: [Double], transposed: Bool
) -> Matrix<Double> {
  let mean = combination(terms, weights)
  let (rows, columns) = transposed ? (mean.columns, mean.rows) : (mean.rows, mean.columns)
  let count = rows * columns * (terms.count + 1)
  // Written once, without clearing it first: at 4096×4096 that is half of the time.
  let elements = [Double](unsafeUninitializedCapacity: count) { target, initializedCount in
    defer { initializedCount = count }
    guard let base = target.baseAddress, count > 0 else { return }
    let stack = MutableMatrixView(base, rows: rows * (terms.count + 1), columns: columns)
    mean.withView { mean in
      let first = stack.rows(0..<rows)
      if transposed { transpose(mean, into: first) } else { copy(mean, into: first) }
      for (client, term) in terms.enumerated() {
        let block = stack.rows((client + 1) * rows..<(client + 2) * rows)
        if transposed {
          writeTransposedDifference(term, mean, into: block)
        } else {
          writeDifference(term, mean, into: block)
        }
      }
    }
  }
  return Matrix(rows: rows * (terms.count + 1), columns: columns, elements: elements)
}

private func copy(_ source: MatrixView<Double>, into target: MutableMatrixView<Double>) {
  for row in 0..<source.rows {
    let start = target.base + row * target.stride
    start.update(from: source.base + row * source.stride, count: source.columns)
  }
}

private func writeDifference(
  _ term: MatrixView<Float>, _ mean: MatrixView<Double>, into target: MutableMatrixView<Double>
) {
  for row in 0..<term.rows {
    let (from, centre) = (term.base + row * term.stride, mean.base + row * mean.stride)
    let to = target.base + row * target.stride
    for column in 0..<term.columns { to[column] = Double(from[column]) - centre[column] }
  }
}

/// By tiles of rows, so that each line of the target is written at once.
private func writeTransposedDifference(
  _ term: MatrixView<Float>, _ mean: MatrixView<Double>, into target: MutableMatrixView<Double>
) {
  let tile = 32
  for top in stride(from: 0, to: term.rows, by: tile) {
    for column in 0..<term.columns {
      let to = target.base + column * target.stride
      for row in top..<min(top + tile, term.rows) {
        to[row] = Double(term.base[row * term.stride + column]) - mean.base[row * mean.stride + column]
      }
    }
  }
}
