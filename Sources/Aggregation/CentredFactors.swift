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
/// The differences are taken in Float64 and rounded to `Scalar` once: in Float32 each block keeps a relative
/// error of 6e-8 however small the differences are.
struct CentredFactors<Scalar: LAPACKScalar> {
  let clientCount: Int
  let adapterRank: Int
  let weights: [Double]
  /// (U+1) r × outputs: the transposed blocks of `B`, one below the other.
  let left: Matrix<Scalar>
  /// (U+1) r × inputs: the blocks of `A`.
  let right: Matrix<Scalar>

  var blockCount: Int { clientCount + 1 }

  /// `averages` are those of `updates`.
  init(_ updates: LayerUpdates, averages: FactorPair) {
    clientCount = updates.clients.count
    adapterRank = averages.a.rows
    weights = updates.weights
    left = centred(updates.clients.map(\.b), around: averages.b, transposed: true)
    right = centred(updates.clients.map(\.a), around: averages.a, transposed: false)
  }

  func stack(_ side: Side) -> Matrix<Scalar> { side == .left ? left : right }
}

/// The mean, then each term's difference from it, one below the other.
private func centred<Scalar: LAPACKScalar>(
  _ terms: [MatrixView<Float>], around mean: Matrix<Double>, transposed: Bool
) -> Matrix<Scalar> {
  let (rows, columns) = transposed ? (mean.columns, mean.rows) : (mean.rows, mean.columns)
  let count = rows * columns * (terms.count + 1)
  // Written once, without clearing it first: at 4096×4096 that is half of the time.
  let elements = [Scalar](unsafeUninitializedCapacity: count) { target, initializedCount in
    defer { initializedCount = count }
    guard let base = target.baseAddress, count > 0 else { return }
    let stack = MutableMatrixView(base, rows: rows * (terms.count + 1), columns: columns)
    mean.withView { mean in
      writeMean(mean, into: stack.rows(0..<rows), transposed: transposed)
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

private func writeMean<Scalar: LAPACKScalar>(
  _ mean: MatrixView<Double>, into target: MutableMatrixView<Scalar>, transposed: Bool
) {
  if transposed { return transpose(mean, into: target) }
  for row in 0..<mean.rows {
    for column in 0..<mean.columns { target[row, column] = Scalar(mean[row, column]) }
  }
}

private func writeDifference<Scalar: LAPACKScalar>(
  _ term: MatrixView<Float>, _ mean: MatrixView<Double>, into target: MutableMatrixView<Scalar>
) {
  for row in 0..<term.rows {
    let (from, centre) = (term.base + row * term.stride, mean.base + row * mean.stride)
    let to = target.base + row * target.stride
    for column in 0..<term.columns { to[column] = Scalar(Double(from[column]) - centre[column]) }
  }
}

/// By tiles of rows, so that each line of the target is written at once.
private func writeTransposedDifference<Scalar: LAPACKScalar>(
  _ term: MatrixView<Float>, _ mean: MatrixView<Double>, into target: MutableMatrixView<Scalar>
) {
  let tile = 32
  for top in stride(from: 0, to: term.rows, by: tile) {
    for column in 0..<term.columns {
      let to = target.base + column * target.stride
      for row in top..<min(top + tile, term.rows) {
        to[row] = Scalar(
          Double(term.base[row * term.stride + column]) - mean.base[row * mean.stride + column])
      }
    }
  }
}
