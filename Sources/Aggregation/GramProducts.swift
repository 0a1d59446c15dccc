internal import LinearAlgebra

/// The products through two Gram matrices: `n² (d + k) / 2` multiply-adds once (n = (U+1) r), then every
/// question is answered from half of `n²` numbers, in Float64 whatever `Scalar` is: the search sees one smooth
/// objective.
struct GramProducts<Scalar: LAPACKScalar>: FactorProducts {
  let clientCount: Int
  let adapterRank: Int
  let averageObjective: Double
  private let weights: [Double]
  private let correlations: Matrix<Double>
  /// n×n
  private let left: Matrix<Scalar>
  private let right: Matrix<Scalar>

  var correlation: Matrix<Double>? { correlations }

  init(_ factors: CentredFactors<Scalar>) {
    clientCount = factors.clientCount
    adapterRank = factors.adapterRank
    weights = factors.weights
    left = gram(factors, .left)
    right = gram(factors, .right)
    let correlations = correlate(left, right, factors.weights, adapterRank: adapterRank)
    let diagonal = factors.weights.enumerated().map { $1 * correlations[$0 + 1, $0 + 1] }
    averageObjective = max(0, diagonal.reduce(0, +))
    self.correlations = correlations
  }

  func meanProducts(_ side: Side) -> Matrix<Double> {
    let gram = gramMatrix(side)
    let r = adapterRank
    var result = Matrix<Double>(rows: blockCount, columns: r * r)
    for row in 0..<gram.rows {
      for column in 0..<r { result.elements[row * r + column] = Double(gram[row, column]) }
    }
    return result
  }

  func correlation(_ side: Side, with combination: [Double]) -> [Double] {
    correlations.withView { product($0, side == .left ? .asStored : .transposed, vector: combination) }
  }

  /// `T + Tᵀ` with `T = Σ_{v<w} y_v y_w G_vw + ½ Σ_v y_v² G_vv`: the blocks below the diagonal are those above.
  func moment(_ side: Side, _ combination: [Double]) -> Matrix<Double> {
    let r = adapterRank
    var half = Matrix<Double>(rows: r, columns: r)
    guard r > 0 else { return half }
    half.withMutableView { half in
      gramMatrix(side).withView { gram in
        for row in 0..<gram.rows {
          let (v, i) = row.quotientAndRemainder(dividingBy: r)
          guard combination[v] != 0 else { continue }
          accumulateRow(gram, row, from: v, combination, into: half.base + i * r, r)
        }
      }
    }
    var sum = half.transposed
    sum += half
    return sum
  }

  /// With `K_u = p_u Σ_w y_w G_uw` of the other side: `‖Σ_u β_u K_u‖² = ⟨K, G K⟩`.
  func errorImageNorm(_ side: Side, _ combination: [Double]) -> Double {
    let r = adapterRank
    guard r > 0 else { return 0 }
    let images = gramMatrix(side.other).withView { blockSums($0, combination, weights) }
    let square = gramMatrix(side).withView { gram in
      images.withView { images in
        let clients = r..<gram.rows
        let product = product(gram.rows(clients).columns(clients), .asStored, images, .asStored)
        return product.withView { innerProduct($0, images) }
      }
    }
    return max(0, square).squareRoot()
  }

  func curvature(_ side: Side, moment: Matrix<Double>) -> Matrix<Double> {
    let (r, count) = (adapterRank, blockCount)
    var result = Matrix<Double>(rows: count, columns: count)
    guard r > 0 else { return result }
    result.withMutableView { result in
      gramMatrix(side).withView { gram in
        moment.withView { moment in
          for row in 0..<gram.rows {
            let (v, i) = row.quotientAndRemainder(dividingBy: r)
            addDots(
              gram.base + row * gram.stride, moment.base + i * r, r, blocks: v..<count,
              into: result.base + v * count)
          }
        }
      }
      for row in 0..<count { for column in 0..<row { result[row, column] = result[column, row] } }
    }
    return result
  }

  private func gramMatrix(_ side: Side) -> Matrix<Scalar> { side == .left ? left : right }
}

/// The Gram matrix of all rows of a side's stack, tile by tile.
private func gram<Scalar: LAPACKScalar>(_ factors: CentredFactors<Scalar>, _ side: Side) -> Matrix<Scalar> {
  var gram = Matrix<Scalar>(rows: factors.rowCount, columns: factors.rowCount)
  guard factors.rowCount > 0 else { return gram }
  gram.withMutableView { gram in
    factors.forEachTile(side) { tile, _ in addGramMatrix(of: tile, side.tileOrientation, to: gram) }
    mirrorUpperTriangle(gram)
  }
  return gram
}

/// U r × r: the blocks `p_u Σ_w y_w G_uw` of the clients.
private func blockSums<Scalar: LAPACKScalar>(
  _ gram: MatrixView<Scalar>, _ y: [Double], _ weights: [Double]
) -> Matrix<Scalar> {
  let r = gram.rows / y.count
  var sums = Matrix<Scalar>(rows: gram.rows - r, columns: r)
  sums.withMutableView { sums in
    withUnsafeTemporaryAllocation(of: Double.self, capacity: r) { sum in
      for row in 0..<sums.rows {
        sum.update(repeating: 0)
        for (block, factor) in y.enumerated() where factor != 0 {
          let source = gram.base + (r + row) * gram.stride + block * r
          for index in 0..<r { sum[index] += factor * Double(source[index]) }
        }
        for index in 0..<r { sums[row, index] = Scalar(weights[row / r] * sum[index]) }
      }
    }
  }
  return sums
}

/// `target[0..<r] += y_v Σ_w y_w row[w r ..< (w+1) r]` over the blocks w ≥ v, of which v counts half.
private func accumulateRow<Scalar: LAPACKScalar>(
  _ gram: MatrixView<Scalar>, _ row: Int, from v: Int, _ y: [Double],
  into target: UnsafeMutablePointer<Double>, _ r: Int
) {
  let numbers = gram.base + row * gram.stride
  y.withUnsafeBufferPointer { y in
    for w in v..<y.count {
      let factor = w == v ? 0.5 * y[v] * y[v] : y[v] * y[w]
      let block = numbers + w * r
      for index in 0..<r { target[index] += factor * Double(block[index]) }
    }
  }
}

/// `target[w] += ⟨numbers[w r ..< (w+1) r], factors⟩` for every block w of `blocks`.
private func addDots<Scalar: LAPACKScalar>(
  _ numbers: UnsafePointer<Scalar>, _ factors: UnsafePointer<Double>, _ r: Int, blocks: Range<Int>,
  into target: UnsafeMutablePointer<Double>
) {
  let whole = r & ~7
  for w in blocks {
    let block = numbers + w * r
    // Eight running sums: one alone would wait for every addition.
    var lanes = SIMD8<Double>.zero
    for start in stride(from: 0, to: whole, by: 8) {
      for lane in 0..<8 { lanes[lane] += Double(block[start + lane]) * factors[start + lane] }
    }
    var sum = lanes.sum()
    for index in whole..<r { sum += Double(block[index]) * factors[index] }
    target[w] += sum
  }
}

/// `C_vw = Σ_u p_u ⟨G^B_uv, G^A_uw⟩` over the clients u = 1…U, as one product of the blocks in a row.
private func correlate<Scalar: LAPACKScalar>(
  _ left: Matrix<Scalar>, _ right: Matrix<Scalar>, _ weights: [Double], adapterRank r: Int
) -> Matrix<Double> {
  guard r > 0 else { return Matrix(rows: weights.count + 1, columns: weights.count + 1) }
  let weighted = blockRows(left, adapterRank: r, scales: weights.map { Scalar($0) })
  let plain = blockRows(right, adapterRank: r, scales: weights.map { _ in 1 })
  return product(weighted, .asStored, plain, .transposed).withView { Matrix<Double>($0) }
}

/// (U+1) × (U r²): row v holds the blocks `scales[u] G_uv` of the clients, each contiguous.
private func blockRows<Scalar: LAPACKScalar>(
  _ gram: Matrix<Scalar>, adapterRank r: Int, scales: [Scalar]
) -> Matrix<Scalar> {
  let (count, width) = (scales.count + 1, scales.count * r * r)
  let elements = [Scalar](unsafeUninitializedCapacity: count * width) { target, initializedCount in
    gram.withView { gram in
      for v in 0..<count {
        for row in r..<gram.rows {
          let scale = scales[row / r - 1]
          let source = gram.base + row * gram.stride + v * r
          let start = target.baseAddress! + v * width + (row - r) * r
          for index in 0..<r { start[index] = scale * source[index] }
        }
      }
    }
    initializedCount = count * width
  }
  return Matrix(rows: count, columns: width, elements: elements)
}
