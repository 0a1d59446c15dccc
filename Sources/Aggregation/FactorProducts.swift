internal import LinearAlgebra

/// What the search for coefficients needs to know of the centred blocks `b_v`, `a_w` (v, w = 0…U): inner
/// products and nothing else. Both sides obey the same formulas, with `B` transposed.
///
/// `G_vw` stands for the r×r block `b_vᵀ b_w` (left) or `a_v a_wᵀ` (right).
protocol FactorProducts {
  var clientCount: Int { get }
  var adapterRank: Int { get }
  /// (U+1)×(U+1): `⟨E₀, b_v a_w⟩`.
  var correlation: Matrix<Double> { get }
  /// (U+1)×r²: row v is `Σ_w y_w G_vw`, which is `b_vᵀ Σ y_w b_w`.
  func products(_ side: Side, with combination: [Double]) -> Matrix<Double>
  /// (U+1)×(U+1): `⟨G_vw, moment⟩` for a symmetric r×r moment; the curvature of the objective.
  func curvature(_ side: Side, moment: Matrix<Double>) throws -> Matrix<Double>
}

extension FactorProducts {
  var blockCount: Int { clientCount + 1 }

  /// The coefficients of the mean alone.
  var mean: [Double] { [1] + [Double](repeating: 0, count: clientCount) }
}

/// The products through two Gram matrices: `n² (d + k) / 2` multiply-adds once (n = (U+1) r), then every
/// question is answered from `n²` numbers.
struct GramProducts: FactorProducts {
  let clientCount: Int
  let adapterRank: Int
  let correlation: Matrix<Double>
  /// (U+1) × ((U+1) r²): row w holds the blocks `G_vw` for v = 0…U.
  private let left: Matrix<Double>
  private let right: Matrix<Double>

  init(_ factors: CentredFactors) {
    clientCount = factors.clientCount
    adapterRank = factors.adapterRank
    left = blockedGram(factors.left, adapterRank: adapterRank)
    right = blockedGram(factors.right, adapterRank: adapterRank)
    correlation = correlate(left, right, factors.weights, adapterRank: adapterRank)
  }

  func products(_ side: Side, with combination: [Double]) -> Matrix<Double> {
    let sums = blocks(side).withView { product($0, .transposed, vector: combination) }
    return Matrix(rows: blockCount, columns: adapterRank * adapterRank, elements: sums)
  }

  func curvature(_ side: Side, moment: Matrix<Double>) -> Matrix<Double> {
    let values = blocks(side).withView { blocks in
      let flat = MatrixView(
        blocks.base, rows: blockCount * blockCount, columns: adapterRank * adapterRank)
      return product(flat, vector: moment.elements)
    }
    return Matrix(rows: blockCount, columns: blockCount, elements: values)
  }

  private func blocks(_ side: Side) -> Matrix<Double> { side == .left ? left : right }
}

/// The Gram matrix of the rows with each r×r block contiguous.
private func blockedGram(_ stack: Matrix<Double>, adapterRank r: Int) -> Matrix<Double> {
  let gram = stack.withView { gramMatrix($0) }
  let count = gram.rows / max(r, 1)
  var blocks = Matrix<Double>(rows: count, columns: count * r * r)
  guard r > 0 else { return blocks }
  gram.withView { gram in
    blocks.withMutableView { blocks in
      for row in 0..<gram.rows {
        let (v, i) = row.quotientAndRemainder(dividingBy: r)
        for w in 0..<count {
          let target = blocks.base + w * blocks.stride + (v * r + i) * r
          target.update(from: gram.base + row * gram.stride + w * r, count: r)
        }
      }
    }
  }
  return blocks
}

/// `C_vw = Σ_u p_u ⟨G^B_uv, G^A_uw⟩` over the clients u = 1…U, as one product of the blocks in a row.
private func correlate(
  _ left: Matrix<Double>, _ right: Matrix<Double>, _ weights: [Double], adapterRank r: Int
) -> Matrix<Double> {
  guard r > 0 else { return Matrix(rows: left.rows, columns: left.rows) }
  var weighted = left
  weighted.withMutableView { weighted in
    for row in 0..<weighted.rows {
      for (client, weight) in weights.enumerated() {
        let start = weighted.base + row * weighted.stride + (client + 1) * r * r
        for index in 0..<r * r { start[index] *= weight }
      }
    }
  }
  return weighted.withView { weighted in
    right.withView { right in
      let clients = r * r..<right.columns
      return product(weighted.columns(clients), .asStored, right.columns(clients), .transposed)
    }
  }
}

extension Matrix {
  /// The same numbers in another shape.
  func reshaped(rows: Int, columns: Int) -> Matrix {
    Matrix(rows: rows, columns: columns, elements: elements)
  }
}
