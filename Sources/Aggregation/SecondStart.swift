internal import LinearAlgebra

extension CoefficientSearch {
  /// The start from the leading singular pair of `C_vw = ⟨W*, B_v A_w⟩`, scaled optimally; `nil` where that
  /// pair's product vanishes.
  func spectralStart() throws -> State? {
    let (left, right, value) = try leadingPair()
    // A pair is determined up to its sign; the averages' side keeps the changes against them small.
    let sign: Double = left.reduce(0, +) + right.reduce(0, +) < 0 ? -1 : 1
    let full = (
      left: fullCoefficients(left.map { sign * $0 }), right: fullCoefficients(right.map { sign * $0 })
    )
    let moments = (
      left: products.moment(.left, full.left), right: products.moment(.right, full.right)
    )
    let square = innerProduct(moments.left, moments.right)
    let (leftSquare, rightSquare) = (moments.left.trace, moments.right.trace)
    guard square > 0, leftSquare > 0, rightSquare > 0 else { return nil }
    let scale = value / square
    // The split between the sides that leaves their norms in the averages' proportion.
    let split = (averageRatioSquare * rightSquare / leftSquare).squareRoot().squareRoot()
    let root = scale.squareRoot()
    return state(full.left.map { $0 * root * split }, full.right.map { $0 * root / split })
  }

  private typealias Pair = (left: [Double], right: [Double], value: Double)

  /// The leading singular pair of `C_vw = ⟨W*, B_v A_w⟩` over the clients.
  private func leadingPair() throws -> Pair {
    guard let correlation = products.correlation else { return iteratedPair() }
    let svd = try clientCorrelation(correlation).withView { try singularValueDecomposition($0) }
    let left = svd.u.withView { column in (0..<column.rows).map { column[$0, 0] } }
    return (left, Array(svd.vTransposed.elements.prefix(svd.vTransposed.columns)), svd.values[0])
  }

  /// The pair by power iteration, to a part in a thousand: it is only a start.
  private func iteratedPair() -> Pair {
    var pair: Pair = (weights, normalized(startVector), 0)
    for _ in 0..<Self.powerLimit {
      let before = pair.value
      pair.left = clientCorrelation(.left, with: pair.right)
      pair.value = dot(pair.left, pair.left).squareRoot()
      pair.left = normalized(pair.left)
      guard pair.value > before * (1 + Self.powerTolerance) else { break }
      pair.right = normalized(clientCorrelation(.right, with: pair.left))
    }
    return pair
  }

  private static var powerLimit: Int { 12 }
  private static var powerTolerance: Double { 1e-3 }

  /// Near the weights, but in general position: where the averages vanish, the weights alone see nothing.
  private var startVector: [Double] {
    weights.enumerated().map { $1 * (1 + 0.5 * Double(($0 * 7919) % 101) / 101) }
  }

  private func normalized(_ vector: [Double]) -> [Double] {
    let length = dot(vector, vector).squareRoot()
    return length > 0 ? vector.map { $0 / length } : vector
  }

  /// `Σ_w ⟨W*, B_v A_w⟩ y_w` for the left side, with the sides swapped for the right, from
  /// `W* = E₀ + B̄Ā` and `B_v = B̄ + β_v`.
  private func clientCorrelation(_ side: Side, with clients: [Double]) -> [Double] {
    let full = [clients.reduce(0, +)] + clients
    let means = meanProducts(side).times(contract(full, meanProducts(side.other)).elements)
    let all = zip(products.correlation(side, with: full), means).map { $0 + $1 }
    return all.dropFirst().map { $0 + all[0] }
  }

  /// U×U: `⟨W*, B_v A_w⟩`, likewise.
  private func clientCorrelation(_ correlation: Matrix<Double>) -> Matrix<Double> {
    var all = product(meanProducts(.left), .asStored, meanProducts(.right), .transposed)
    all += correlation
    var result = Matrix<Double>(rows: products.clientCount, columns: products.clientCount)
    for v in 0..<result.rows {
      for w in 0..<result.columns {
        result[v, w] = all[v + 1, w + 1] + all[0, w + 1] + all[v + 1, 0] + all[0, 0]
      }
    }
    return result
  }

  /// Client coefficients as coefficients of the mean and the differences; the part along the weights adds
  /// nothing (`Σ p_u β_u = 0`) and is removed.
  private func fullCoefficients(_ clients: [Double]) -> [Double] {
    let sum = clients.reduce(0, +)
    return [sum] + zip(clients, weights).map { $0 - sum * $1 }
  }

  /// `‖B̄‖² / ‖Ā‖²`, or 1 where one of them vanishes.
  private var averageRatioSquare: Double {
    let (left, right) = (normSquare(average, .left), normSquare(average, .right))
    return left > 0 && right > 0 ? left / right : 1
  }

  /// The first sweep learns the objective.
  private func state(_ left: [Double], _ right: [Double]) -> State {
    State(
      left: zip(left, products.mean).map { $0 - $1 }, right: zip(right, products.mean).map { $0 - $1 },
      objective: .infinity)
  }
}

extension Matrix where Scalar == Double {
  var trace: Double { (0..<rows).reduce(0) { $0 + self[$1, $1] } }
}
