internal import LinearAlgebra

/// The products from the factors themselves, for cohorts whose Gram matrices would be larger than the layer.
///
/// Nothing of size n² or outputs × inputs is formed; each question costs a few passes over the factors. Thin
/// products are in `Scalar`, sums over clients and inner products in Float64.
struct FactoredProducts<Scalar: LAPACKScalar>: FactorProducts {
  /// Columns of the sketch that estimates `‖E₀‖²` of wide layers; narrower ones are measured.
  static var sketchWidth: Int { 64 }

  private(set) var averageObjective: Double
  private(set) var averageObjectiveDeviation = 0.0
  private let stacks: CentredStacks<Scalar>
  private let leftMeanProducts: Matrix<Double>
  private let rightMeanProducts: Matrix<Double>

  var clientCount: Int { stacks.weights.count }
  var adapterRank: Int { stacks.adapterRank }
  var correlation: Matrix<Double>? { nil }

  init(_ factors: CentredFactors<Scalar>) {
    stacks = CentredStacks(factors)
    leftMeanProducts = stacks.meanProducts(.left)
    rightMeanProducts = stacks.meanProducts(.right)
    if stacks.right.columns <= 2 * Self.sketchWidth {
      averageObjective = stacks.errorSquare
    } else {
      (averageObjective, averageObjectiveDeviation) = stacks.estimatedErrorSquare(width: Self.sketchWidth)
    }
  }

  /// Takes `n · outputs · inputs` multiply-adds, as many as the dense ideal update.
  var measured: Self {
    guard averageObjectiveDeviation > 0 else { return self }
    var products = self
    products.averageObjective = stacks.errorSquare
    products.averageObjectiveDeviation = 0
    return products
  }

  func meanProducts(_ side: Side) -> Matrix<Double> { side == .left ? leftMeanProducts : rightMeanProducts }

  func correlation(_ side: Side, with combination: [Double]) -> [Double] {
    blockDots(side, errorImage(side, combination))
  }

  func errorImageNorm(_ side: Side, _ combination: [Double]) -> Double {
    errorImage(side, combination).frobeniusNorm
  }

  /// r × columns: `(E₀ Âᵀ)ᵀ` or `B̂ᵀ E₀`.
  private func errorImage(_ side: Side, _ combination: [Double]) -> Matrix<Scalar> {
    errorImage(side, of: combined(side.other, combination))
  }

  private func errorImage(_ side: Side, of sum: Matrix<Double>) -> Matrix<Scalar> {
    stacks.idealImage(side, sum.withView { Matrix<Scalar>(transposing: $0) })
  }

  /// Both from one combination of the other side's blocks.
  func answers(_ side: Side, changes: [Double]) -> (moment: Matrix<Double>, correlations: [Double]) {
    var sum = combined(side.other, changes)
    let moment = sum.withView { gramMatrix($0) }
    let size = sum.elements.count
    for index in 0..<size { sum.elements[index] += Double(stacks[side.other].elements[index]) }
    return (moment, blockDots(side, errorImage(side, of: sum)))
  }

  func moment(_ side: Side, _ combination: [Double]) -> Matrix<Double> {
    combined(side, combination).withView { gramMatrix($0) }
  }

  /// `⟨G_vw, L Lᵀ⟩` is the inner product of `Lᵀ b_vᵀ` and `Lᵀ b_wᵀ`: rank-k updates, by tiles of columns
  /// whose images stay small.
  func curvature(_ side: Side, moment: Matrix<Double>) throws -> Matrix<Double> {
    let root = try squareRoot(of: moment).withView { Matrix<Scalar>($0) }
    let stack = stacks[side]
    var sum = Matrix<Double>(rows: blockCount, columns: blockCount)
    let tile = 512
    for start in stride(from: 0, to: stack.columns, by: tile) {
      let columns = start..<min(start + tile, stack.columns)
      let images = stack.withView { imageRows($0.columns(columns), root) }
      let gram: Matrix<Scalar> = images.withView { gramMatrix($0) }
      sum += gram.withView { Matrix<Double>($0) }
    }
    return sum
  }

  /// (U+1) × (r · columns): the blocks `Lᵀ b_vᵀ`, one a row.
  private func imageRows(_ stack: MatrixView<Scalar>, _ root: Matrix<Scalar>) -> Matrix<Scalar> {
    var images = Matrix<Scalar>(rows: stack.rows, columns: stack.columns)
    guard !images.elements.isEmpty else { return images.reshaped(rows: blockCount, columns: 0) }
    root.withView { root in
      images.withMutableView { images in
        for block in 0..<blockCount {
          let rows = block * adapterRank..<(block + 1) * adapterRank
          multiply(root, .transposed, stack.rows(rows), .asStored, into: images.rows(rows))
        }
      }
    }
    return images.reshaped(rows: blockCount, columns: adapterRank * stack.columns)
  }

  /// r × columns: `Σ_v y_v b_v`.
  private func combined(_ side: Side, _ combination: [Double]) -> Matrix<Double> {
    stacks[side].withView { stack in
      let used = combination.indices.filter { combination[$0] != 0 }
      guard !used.isEmpty else { return Matrix(rows: adapterRank, columns: stack.columns) }
      let blocks = used.map { stack.rows($0 * adapterRank..<($0 + 1) * adapterRank) }
      return Aggregation.combination(blocks, used.map { combination[$0] })
    }
  }

  /// `⟨b_v, image⟩` of every block, for an r × columns image.
  private func blockDots(_ side: Side, _ image: Matrix<Scalar>) -> [Double] {
    stacks[side].withView { stack in
      image.withView { image in
        (0..<blockCount).map { block in
          innerProduct(stack.rows(block * adapterRank..<(block + 1) * adapterRank), image)
        }
      }
    }
  }
}

/// Both stacks of the centred blocks.
private struct CentredStacks<Scalar: LAPACKScalar> {
  let adapterRank: Int
  let weights: [Double]
  let left: Matrix<Scalar>
  let right: Matrix<Scalar>

  init(_ factors: CentredFactors<Scalar>) {
    adapterRank = factors.adapterRank
    weights = factors.weights
    left = factors.stack(.left)
    right = factors.stack(.right)
  }

  subscript(side: Side) -> Matrix<Scalar> { side == .left ? left : right }

  func meanProducts(_ side: Side) -> Matrix<Double> {
    let products = self[side].withView { product($0, .asStored, $0.rows(0..<adapterRank), .transposed) }
    return products.withView { Matrix<Double>($0) }
      .reshaped(rows: weights.count + 1, columns: adapterRank * adapterRank)
  }

  /// Left: `(E₀ sum)ᵀ = Σ_u p_u (α_u sum)ᵀ β_uᵀ` for an inputs × m matrix; right: with the sides swapped.
  func idealImage(_ side: Side, _ sum: Matrix<Scalar>) -> Matrix<Scalar> {
    let inner = self[side.other].withView { other in
      sum.withView { product(other.rows(clients), .asStored, $0, .asStored) }
    }
    return weightedProduct(side, inner)
  }

  /// `‖E₀‖²`, by tiles of inputs: nothing larger than tile × outputs is formed.
  var errorSquare: Double {
    let tile = 128
    return stride(from: 0, to: right.columns, by: tile).reduce(0) { sum, start in
      let inputs = start..<min(start + tile, right.columns)
      let part = right.withView { Matrix($0.rows(clients).columns(inputs)) }
      let norm = weightedProduct(.left, part).frobeniusNorm
      return sum + norm * norm
    }
  }

  /// `‖E₀‖²` from random signs, and its standard deviation as the columns of the sketch show it: some percent
  /// where one direction has most of the norm (`√(2/width)`), less where many share it.
  func estimatedErrorSquare(width: Int) -> (value: Double, deviation: Double) {
    let image = idealImage(.left, signs(rows: right.columns, columns: width))
    let squares = (0..<width).map { row in
      let norm = image.withView { frobeniusNorm($0.rows(row..<row + 1)) }
      return norm * norm
    }
    let mean = squares.reduce(0, +) / Double(width)
    let variance = squares.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(width - 1)
    return (mean, (variance / Double(width)).squareRoot())
  }

  /// The rows of a stack that are no mean.
  private var clients: Range<Int> { adapterRank..<left.rows }

  /// m × columns: `Σ_u p_u inner_uᵀ b_u` with the rows `inner_u` of U r × m.
  private func weightedProduct(_ side: Side, _ inner: Matrix<Scalar>) -> Matrix<Scalar> {
    var weighted = inner
    for row in 0..<weighted.rows {
      let weight = Scalar(weights[row / adapterRank])
      for column in 0..<weighted.columns { weighted[row, column] *= weight }
    }
    return self[side].withView { stack in
      weighted.withView { product($0, .transposed, stack.rows(clients), .asStored) }
    }
  }
}

/// A product with random signs has the matrix's mean square in each column.
private func signs<Scalar: BLASScalar>(rows: Int, columns: Int) -> Matrix<Scalar> {
  var generator = SplitMix(seed: 1)
  return Matrix(
    rows: rows, columns: columns,
    elements: (0..<rows * columns).map { _ in generator.next() >> 63 == 0 ? 1 : -1 })
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
