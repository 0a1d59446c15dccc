internal import LinearAlgebra

/// The products from the factors themselves, for cohorts whose Gram matrices would be larger than the layer.
///
/// Nothing of size n² is kept; each question costs a pass over the factors.
struct FactoredProducts: FactorProducts {
  let correlation: Matrix<Double>
  private let factors: CentredFactors

  var clientCount: Int { factors.clientCount }
  var adapterRank: Int { factors.adapterRank }

  init(_ factors: CentredFactors) {
    self.factors = factors
    let images = idealImages(factors)
    correlation = blockProducts(factors.left, images, blockCount: factors.blockCount)
  }

  func products(_ side: Side, with combination: [Double]) -> Matrix<Double> {
    let stack = factors.stack(side)
    let flat = stack.reshaped(rows: blockCount, columns: adapterRank * stack.columns)
    let elements = flat.withView { product($0, .transposed, vector: combination) }
    let sum = Matrix(rows: adapterRank, columns: stack.columns, elements: elements)
    return product(stack, .asStored, sum, .transposed)
      .reshaped(rows: blockCount, columns: adapterRank * adapterRank)
  }

  /// `⟨G_vw, L Lᵀ⟩` is the inner product of `Lᵀ b_vᵀ` and `Lᵀ b_wᵀ`: one rank-k update.
  func curvature(_ side: Side, moment: Matrix<Double>) throws -> Matrix<Double> {
    let root = try squareRoot(of: moment)
    let stack = factors.stack(side)
    var images = Matrix<Double>(rows: stack.rows, columns: stack.columns)
    guard !images.elements.isEmpty else { return Matrix(rows: blockCount, columns: blockCount) }
    root.withView { root in
      stack.withView { stack in
        images.withMutableView { images in
          for block in 0..<blockCount {
            let rows = block * adapterRank..<(block + 1) * adapterRank
            multiply(root, .transposed, stack.rows(rows), .asStored, into: images.rows(rows))
          }
        }
      }
    }
    return images.reshaped(rows: blockCount, columns: adapterRank * stack.columns).withView { gramMatrix($0) }
  }
}

/// (U+1) r × outputs: the blocks `a_w E₀ᵀ`, in the cheaper of the two orders.
private func idealImages(_ factors: CentredFactors) -> Matrix<Double> {
  let clients = factors.adapterRank..<factors.blockCount * factors.adapterRank
  let weighted = weightedClients(factors)
  return factors.right.withView { right in
    weighted.withView { weighted in
      if EstimatorForm.formsDenseUpdate(rows: right.rows, outputs: weighted.columns, inputs: right.columns) {
        let transposedIdeal = product(right.rows(clients), .transposed, weighted, .asStored)
        return transposedIdeal.withView { product(right, .asStored, $0, .asStored) }
      }
      let inner = product(right, .asStored, right.rows(clients), .transposed)
      return inner.withView { product($0, .asStored, weighted, .asStored) }
    }
  }
}

/// U r × outputs: the blocks `p_u β_uᵀ`.
private func weightedClients(_ factors: CentredFactors) -> Matrix<Double> {
  let r = factors.adapterRank
  var weighted = Matrix<Double>(rows: factors.clientCount * r, columns: factors.left.columns)
  factors.left.withView { left in
    for (client, weight) in factors.weights.enumerated() {
      let block = left.rows((client + 1) * r..<(client + 2) * r)
      weighted.place(block, scaledBy: weight, row: client * r, column: 0)
    }
  }
  return weighted
}

/// `⟨x_v, y_w⟩` of the blocks of two stacks.
private func blockProducts(_ x: Matrix<Double>, _ y: Matrix<Double>, blockCount: Int) -> Matrix<Double> {
  let size = x.elements.count / blockCount
  return product(
    x.reshaped(rows: blockCount, columns: size), .asStored, y.reshaped(rows: blockCount, columns: size),
    .transposed)
}

/// L with `L Lᵀ` = a symmetric matrix without negative eigenvalues beyond rounding.
private func squareRoot(of matrix: Matrix<Double>) throws -> Matrix<Double> {
  let eigen = try matrix.withView { try symmetricEigen($0) }
  var root = eigen.vectors
  for (column, value) in eigen.values.enumerated() {
    let scale = max(value, 0).squareRoot()
    for row in 0..<root.rows { root[row, column] *= scale }
  }
  return root
}
