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
    let transposes = updates.clients.map { Matrix<Double>(transposing: $0.b) }
    left = centred(transposes, updates.weights)
    right = centred(updates.clients.map { Matrix<Double>($0.a) }, updates.weights)
  }

  func stack(_ side: Side) -> Matrix<Double> { side == .left ? left : right }
}

/// The weighted mean of equal shapes, then each one's difference from it, one below the other.
private func centred(_ blocks: [Matrix<Double>], _ weights: [Double]) -> Matrix<Double> {
  let size = blocks[0].elements.count
  var elements = [Double](repeating: 0, count: size * (blocks.count + 1))
  elements.withUnsafeMutableBufferPointer { target in
    for (block, weight) in zip(blocks, weights) {
      for index in 0..<size { target[index] += weight * block.elements[index] }
    }
    for (position, block) in blocks.enumerated() {
      let start = (position + 1) * size
      for index in 0..<size { target[start + index] = block.elements[index] - target[index] }
    }
  }
  return Matrix(rows: blocks[0].rows * (blocks.count + 1), columns: blocks[0].columns, elements: elements)
}
