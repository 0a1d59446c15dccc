internal import LinearAlgebra

extension CentredFactors {
  /// `⟨E₀, b a⟩` with what averaging loses, `E₀ = Σ p_u β_u α_u`, for b outputs × m and a m × inputs.
  ///
  /// As `Σ p_u ⟨β_uᵀ b, α_u aᵀ⟩`: nothing wider than m beside the factors.
  func errorProduct(b: Matrix<Double>, a: Matrix<Double>) -> Double {
    let images = [images(.left, b), images(.right, a.transposed)]
    return images[0].withView { left in
      images[1].withView { right in
        weights.enumerated().reduce(0) { sum, client in
          let rows = client.offset * adapterRank..<(client.offset + 1) * adapterRank
          return sum + client.element * innerProduct(left.rows(rows), right.rows(rows))
        }
      }
    }
  }

  /// U r × m: the clients' rows of a side's stack times `other`.
  private func images(_ side: Side, _ other: Matrix<Double>) -> Matrix<Scalar> {
    let rounded = other.withView { Matrix<Scalar>($0) }
    let blocks = adapterRank..<rowCount
    var sum = Matrix<Scalar>(rows: blocks.count, columns: other.columns)
    sum.withMutableView { sum in
      rounded.withView { other in
        forEachTile(side) { tile, range in
          let clients = side == .left ? tile.columns(blocks) : tile.rows(blocks)
          multiply(clients, side.tileOrientation, other.rows(range), .asStored, into: sum, beta: 1)
        }
      }
    }
    return sum
  }
}

/// `‖W* − b a‖² − ‖W* − b̄ ā‖²` of a layer and of the averages as rounded to Float32: below zero where the layer
/// is nearer.
///
/// Summed from small terms alone: with `W* = B̄Ā + E₀`, `Δ = b a − b̄ ā` and `δ = b̄ ā − B̄Ā` it is
/// `‖Δ‖² + 2 ⟨δ, Δ⟩ − 2 ⟨E₀, Δ⟩`, in time linear in the cohort's factors.
func roundedGain<Scalar>(
  of layer: AggregatedLayer, over averages: FactorPair, _ factors: CentredFactors<Scalar>
) -> Double {
  let (found, rounded) = (FactorPair(layer), FactorPair(averages.rounded))
  let change = ThinDifference(found, rounded)
  let shift = ThinDifference(rounded, averages)
  return change.product(with: change) + 2 * change.product(with: shift)
    - 2 * factors.errorProduct(b: change.b, a: change.a)
}

/// The difference of two products as one product: `b a − b' a' = [b − b', b'] [a; a − a']`.
private struct ThinDifference {
  /// outputs × 2r
  let b: Matrix<Double>
  /// 2r × inputs
  let a: Matrix<Double>

  init(_ pair: FactorPair, _ other: FactorPair) {
    let r = pair.a.rows
    var b = Matrix<Double>(rows: pair.b.rows, columns: 2 * r)
    for row in 0..<b.rows {
      for column in 0..<r {
        b[row, column] = pair.b[row, column] - other.b[row, column]
        b[row, r + column] = other.b[row, column]
      }
    }
    self.b = b
    let changes = zip(pair.a.elements, other.a.elements).map { $0 - $1 }
    a = Matrix(rows: 2 * r, columns: pair.a.columns, elements: pair.a.elements + changes)
  }

  /// `⟨b a, b' a'⟩` through (2r)×(2r) products.
  func product(with other: ThinDifference) -> Double {
    innerProduct(
      LinearAlgebra.product(b, .transposed, other.b, .asStored),
      LinearAlgebra.product(a, .asStored, other.a, .transposed))
  }
}
