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
  let sum = combination(terms, weights)
  let mean = transposed ? sum.transposed : sum
  var stack = Matrix<Double>(rows: mean.rows * (terms.count + 1), columns: mean.columns)
  guard !stack.elements.isEmpty else { return stack }
  mean.withView { stack.place($0, scaledBy: 1, row: 0, column: 0) }
  stack.withMutableView { stack in
    let mean = stack.view.rows(0..<mean.rows)
    for (client, term) in terms.enumerated() {
      let target = stack.rows((client + 1) * mean.rows..<(client + 2) * mean.rows)
      if transposed { transpose(term, into: target) } else { copy(term, into: target) }
      subtract(mean, from: target)
    }
  }
  return stack
}

private func copy(_ source: MatrixView<Float>, into target: MutableMatrixView<Double>) {
  for row in 0..<source.rows {
    let (from, to) = (source.base + row * source.stride, target.base + row * target.stride)
    for column in 0..<source.columns { to[column] = Double(from[column]) }
  }
}

/// Both without gaps between the rows.
private func subtract(_ mean: MatrixView<Double>, from target: MutableMatrixView<Double>) {
  for index in 0..<mean.rows * mean.columns { target.base[index] -= mean.base[index] }
}
