internal import LinearAlgebra

/// Alternating least squares for the coefficients of one layer.
///
/// A side's product is `B̂ = B̄ + Σ_v x_v b_v` with `b_0 = B̄`: `x` is what changes against the average, and
/// the distance is `E₀ − X Â − B̄ Y`, a sum of small terms. `x` and `y` have U+1 numbers.
struct CoefficientSearch<Products: FactorProducts> {
  /// The search ends when a sweep lowers the objective by less than this part of it.
  static var tolerance: Double { 1e-9 }
  static var sweepLimit: Int { 200 }
  /// Singular values below this part of the largest count as zero.
  static var cutOff: Double { 1e-12 }

  let products: Products
  let weights: [Double]
  /// Whether a sweep is left out of which an older curvature expects less than the tolerance. In Float64 it counts.
  private let endsEarly: Bool
  private let leftMeanProducts: Matrix<Double>
  private let rightMeanProducts: Matrix<Double>
  /// `‖E₀‖²`, the averages' objective.
  let averageObjective: Double
  /// What every objective may lack where the averages' is an estimate; differences of objectives lack nothing.
  let uncertainty: Double
  /// `⟨E₀, B̄Ā⟩`
  private let meanCorrelation: Double
  /// `‖B̄Ā‖²`
  let meanSquare: Double
  /// `‖W*‖²`
  let idealSquare: Double

  init(_ products: Products, weights: [Double], endsEarly: Bool = false) {
    self.products = products
    self.weights = weights
    self.endsEarly = endsEarly
    leftMeanProducts = products.meanProducts(.left)
    rightMeanProducts = products.meanProducts(.right)
    averageObjective = products.averageObjective
    uncertainty = 4 * products.averageObjectiveDeviation
    meanCorrelation = products.correlation(.left, with: products.mean)[0]
    meanSquare = dot(leftMeanProducts.leading(products), rightMeanProducts.leading(products))
    idealSquare = max(0, averageObjective + 2 * meanCorrelation + meanSquare)
  }

  /// The same search with the averages' objective measured.
  var measured: Self { Self(products.measured, weights: weights, endsEarly: endsEarly) }

  /// What a gain is held against: the objective, or what is known of it at least.
  func known(_ objective: Double) -> Double { max(objective, uncertainty) }

  /// (U+1)×r²: row v is `G_v0`.
  func meanProducts(_ side: Side) -> Matrix<Double> { side == .left ? leftMeanProducts : rightMeanProducts }

  /// A point of the search.
  struct State {
    /// Changes of the left side's coefficients against the average; the mean's own first.
    var left: [Double]
    var right: [Double]
    /// `‖W* − B̂Â‖²`, up to the search's uncertainty: below zero where that is large.
    var objective: Double
    /// `‖B̂Â − B̄Ā‖²`
    var changeSquare = 0.0
    var sweeps = 0

    subscript(side: Side) -> [Double] {
      get { side == .left ? left : right }
      set { if side == .left { left = newValue } else { right = newValue } }
    }
  }

  /// The averages themselves.
  var average: State {
    let zeros = [Double](repeating: 0, count: products.blockCount)
    return State(left: zeros, right: zeros, objective: averageObjective)
  }

  /// The coefficients themselves, the mean's first.
  func full(_ state: State, _ side: Side) -> [Double] { zip(products.mean, state[side]).map { $0 + $1 } }

  /// `‖B̂‖²` or `‖Â‖²`.
  func normSquare(_ state: State, _ side: Side) -> Double {
    max(0, products.moment(side, full(state, side)).trace)
  }

  /// `⟨B̂, B̄⟩` or `⟨Â, Ā⟩`.
  func innerProductWithAverage(_ state: State, _ side: Side) -> Double {
    contract(full(state, side), meanProducts(side)).trace
  }

  /// Sweeps from `start` until the objective stands still; the objective never rises.
  ///
  /// `tolerance`: the part of the objective below which a sweep's gain is the end.
  func descend(
    from start: State, tolerance: Double = Self.tolerance, recording: ((Double) -> Void)? = nil
  ) throws -> State {
    var state = start
    var last: Quadratic?
    while state.sweeps < Self.sweepLimit {
      let slope = slope(.left, other: state.right)
      if endsEarly, let last, try expectedGain(slope, last, state.left) <= tolerance * known(state.objective)
      {
        break
      }
      let terms = try quadratic(.left, slope)
      last = terms
      var next = try improved(minimum(state, .left, terms), .right)
      next.sweeps += 1
      // Rounding can lift the objective once nothing is left to gain.
      guard next.objective < state.objective else { break }
      let gain = state.objective - next.objective
      state = next
      recording?(state.objective)
      if gain <= tolerance * known(state.objective + gain), gain.isFinite { break }
      if known(state.objective) <= 1e-18 * idealSquare { break }
    }
    return state
  }

  /// The state with one side's coefficients at the minimum for the other side's.
  func improved(_ state: State, _ side: Side) throws -> State {
    try minimum(state, side, quadratic(side, other: state[side.other]))
  }

  private func minimum(_ state: State, _ side: Side, _ terms: Quadratic) throws -> State {
    let x = state[side]
    let step = try step(terms.hessian, terms.slope.gradient(terms.hessian, at: x))
    var next = state
    next[side] = zip(x, step).map { $0 + $1 }
    (next.objective, next.changeSquare) = terms.values(at: next[side])
    return next
  }

  /// What a step from `x` would gain, by a curvature from nearby: the dearest question is not asked to learn that
  /// nothing is left. Without bound where the curvature is not from nearby.
  private func expectedGain(_ slope: Slope, _ last: Quadratic, _ x: [Double]) throws -> Double {
    var change = last.slope.moment
    for index in change.elements.indices { change.elements[index] -= slope.moment.elements[index] }
    guard change.frobeniusNorm <= 0.05 * slope.moment.frobeniusNorm else { return .infinity }
    let gradient = slope.gradient(last.hessian, at: x)
    return dot(gradient, try step(last.hessian, gradient))
  }

  /// The objective as a function of one side's coefficients, without its curvature.
  struct Slope {
    var linear: [Double]
    var constant: Double
    /// `⟨b_v Â, B̄Y⟩`
    var overlaps: [Double]
    /// `‖B̄Y‖²`
    var own: Double
    /// `ÂÂᵀ`, of which the curvature is a function.
    var moment: Matrix<Double>
    /// No objective is below this but by rounding.
    var least: Double

    func gradient(_ hessian: Matrix<Double>, at x: [Double]) -> [Double] {
      zip(linear, hessian.times(x)).map { $0 - $1 }
    }
  }

  struct Quadratic {
    var slope: Slope
    var hessian: Matrix<Double>

    /// `‖W* − B̂Â‖²` and `‖B̂Â − B̄Ā‖²`.
    func values(at x: [Double]) -> (objective: Double, changeSquare: Double) {
      let square = dot(x, hessian.times(x))
      let objective = slope.constant - 2 * dot(slope.linear, x) + square
      return (max(slope.least, objective), max(0, slope.own + 2 * dot(slope.overlaps, x) + square))
    }

    func value(at x: [Double]) -> Double { values(at: x).objective }
  }

  func quadratic(_ side: Side, other y: [Double]) throws -> Quadratic {
    try quadratic(side, slope(side, other: y))
  }

  private func quadratic(_ side: Side, _ slope: Slope) throws -> Quadratic {
    Quadratic(slope: slope, hessian: try products.curvature(side, moment: slope.moment))
  }

  /// With `q = e₀ + y`: `‖E₀ − B̄Y‖² − 2 ⟨E₀ − B̄Y, XÂ⟩ + ‖XÂ‖²`.
  private func slope(_ side: Side, other y: [Double]) -> Slope {
    let full = zip(products.mean, y).map { $0 + $1 }
    let (changes, correlations) = products.answers(side, changes: y)
    let crossed = contract(y, meanProducts(side.other)).transposed
    let mixed = crossed + changes
    let overlaps = meanProducts(side).times(mixed.elements)
    let own = dot(meanBlock(side), changes.elements)
    return Slope(
      linear: zip(correlations, overlaps).map { $0 - $1 },
      constant: averageObjective - 2 * (correlations[0] - meanCorrelation) + own, overlaps: overlaps,
      own: own,
      moment: (contract(full, meanProducts(side.other)) + mixed).symmetrized,
      least: uncertainty > 0 ? -.infinity : 0)
  }

  /// `Σ_v x_v M_v` as an r×r matrix, from rows of r² numbers.
  func contract(_ x: [Double], _ rows: Matrix<Double>) -> Matrix<Double> {
    let sums = rows.withView { product($0, .transposed, vector: x) }
    return Matrix(rows: products.adapterRank, columns: products.adapterRank, elements: sums)
  }

  /// `G_00` of a side as r² numbers.
  func meanBlock(_ side: Side) -> [Double] { meanProducts(side).leading(products) }
}

extension CoefficientSearch {
  /// The correction of least norm, in coordinates in which every block has unit length: the mean and the
  /// differences can be six orders apart, and both matter.
  private func step(_ hessian: Matrix<Double>, _ gradient: [Double]) throws -> [Double] {
    let scales = unitScales(hessian)
    var scaled = hessian
    for row in 0..<scaled.rows {
      for column in 0..<scaled.columns { scaled[row, column] *= scales[row] * scales[column] }
      if scales[row] == 0 { scaled[row, row] = 1 }
    }
    deflate(&scaled, scales)
    let right = zip(scales, gradient).map { $0 * $1 }
    let solution = try semidefiniteSolution(scaled, right, relativeCutOff: Self.cutOff)
    return zip(scales, solution).map { $0 * $1 }
  }

  /// `1/√H_vv`, or 0 for a block that is nothing but rounding.
  private func unitScales(_ hessian: Matrix<Double>) -> [Double] {
    let diagonal = (0..<hessian.rows).map { hessian[$0, $0] }
    let limit = 1e-26 * (diagonal.max() ?? 0)
    return diagonal.map { $0 > limit ? 1 / $0.squareRoot() : 0 }
  }

  /// The differences obey `Σ p_u β_u = 0`, so the matrix has one known null direction, along which no
  /// solution has a part. Lifting it makes the matrix definite and leaves the solution as it is.
  private func deflate(_ matrix: inout Matrix<Double>, _ scales: [Double]) {
    let null = zip([0] + weights, scales).map { $1 > 0 ? $0 / $1 : 0 }
    let square = dot(null, null)
    guard square > 0 else { return }
    for row in 0..<matrix.rows {
      for column in 0..<matrix.columns { matrix[row, column] += null[row] * null[column] / square }
    }
  }
}

func dot(_ left: [Double], _ right: [Double]) -> Double {
  zip(left, right).reduce(0) { $0 + $1.0 * $1.1 }
}

extension Matrix where Scalar == Double {
  /// The first r² numbers: `G_00` of a side's mean products.
  fileprivate func leading(_ products: any FactorProducts) -> [Double] {
    Array(elements.prefix(products.adapterRank * products.adapterRank))
  }

  /// The product with a vector.
  func times(_ vector: [Double]) -> [Double] {
    withView { product($0, vector: vector) }
  }

  fileprivate static func + (left: Matrix, right: Matrix) -> Matrix {
    var sum = left
    sum += right
    return sum
  }

  /// Half the sum with the transpose: equal up to rounding, but exactly symmetric.
  fileprivate var symmetrized: Matrix {
    var result = self + transposed
    for index in result.elements.indices { result.elements[index] *= 0.5 }
    return result
  }
}
