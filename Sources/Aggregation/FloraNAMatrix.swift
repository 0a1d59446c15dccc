internal import LinearAlgebra

/// FLoRA-NA with matrix coefficients: the best approximation of `W*` that one pair of factors can be.
///
/// The truncated singular value decomposition of `W*` in the basis that is closest to the averages
/// (Procrustes). The pair has `ρ ≤ ρ_opt (1 + 1e-5)` up to the rounding of the factors to Float32 (6e-8 of
/// `‖W*‖`).
///
/// Small cohorts and layers: the QR decompositions of the stacked factors and the singular value decomposition of
/// their core. Others: block Krylov iteration on the product of the stacks, where a step takes
/// `2 n (adapterRank + 8) (outputs + inputs)` multiply-adds, n = Σ adapterRank, and two or three steps do unless
/// the singular values hardly fall off. Where no number of whole steps is accurate, the decompositions do it after
/// all.
public struct FloraNAMatrix: AggregationRule {
  public init() {}

  public var name: String { "florana-matrix" }

  public var reasonForOneAdapterRank: String? { nil }

  public func aggregate(_ updates: LayerUpdates) throws -> AggregatedLayer {
    let averages = FactorPair(averaging: updates)
    let optimum = try FactorPair(bestApproximationOf: FactorStacks(updates), rank: updates.largestAdapterRank)
    // W* = 0 leaves nothing to approximate: keep what the optimiser knows.
    guard optimum.b.elements.contains(where: { $0 != 0 }) else { return averages.rounded }
    let aligned = try optimum.aligned(to: averages, byRotation: updates.commonAdapterRank != nil)
    return aligned.rounded
  }
}

extension FactorPair {
  /// The best approximation of `stacks.b · stacks.a` by factors of adapter rank `rank`, each carrying the
  /// square roots of the singular values, the largest first. Missing directions are zero.
  init(bestApproximationOf stacks: FactorStacks, rank: Int) throws {
    if LeadingSubspace.isCheaper(stacks, rank: rank),
      let space = try LeadingSubspace(
        of: stacks.map, rank: rank, accuracy: .aggregate, sizeLimit: stacks.map.largestRank)
    {
      self = try FactorPair(space)
      return
    }
    let left = try OrthogonalBasis(ofColumnsOf: stacks.b)
    let right = try OrthogonalBasis(ofColumnsOf: stacks.a.transposed)
    let core = product(left.coordinates, .asStored, right.coordinates, .transposed)
    let svd = try core.withView { try singularValueDecomposition($0) }
    // Below this a direction is rounding, and its two factors would be noise.
    let limit = 1e-14 * (svd.values.first ?? 0)
    let roots = svd.values.prefix(rank).map { $0 > limit ? $0.squareRoot() : 0 }
    b = left.expand(svd.u.leadingColumns(scaledBy: roots, count: rank))
    a = right.expand(svd.vTransposed.transposed.leadingColumns(scaledBy: roots, count: rank)).transposed
  }

  /// The product `basis · projection` with the singular values split evenly.
  private init(_ space: LeadingSubspace) throws {
    let svd = try space.projection.withView { try singularValueDecomposition($0) }
    let limit = 1e-14 * (svd.values.first ?? 0)
    let roots = svd.values.map { $0 > limit ? $0.squareRoot() : 0 }
    b = product(space.basis, .asStored, svd.u.leadingColumns(scaledBy: roots, count: roots.count), .asStored)
    a = svd.vTransposed.transposed.leadingColumns(scaledBy: roots, count: roots.count).transposed
  }

  /// The pair `(b T, Tᵀ a)` that is closest to `reference`, with T orthogonal; without `byRotation` T only
  /// flips signs, so that the leading directions stay the leading ones.
  ///
  /// Directions that the pair does not use (a zero column of `b` and a zero row of `a`) take `a` from the
  /// reference: the product stays, and training can still use them.
  func aligned(to reference: FactorPair, byRotation: Bool) throws -> FactorPair {
    var products = product(b, .transposed, reference.b, .asStored)
    products += product(a, .asStored, reference.a, .transposed)
    let turn = byRotation ? try nearestOrthogonal(products) : signs(ofDiagonalOf: products)
    var turned = FactorPair(
      a: product(turn, .transposed, a, .asStored), b: product(b, .asStored, turn, .asStored))
    var unused = Matrix<Double>(rows: turn.rows, columns: turn.columns)
    for row in 0..<turn.rows where a.withView({ frobeniusNorm($0.rows(row..<row + 1)) }) == 0 {
      for column in 0..<turn.columns { unused[row, column] = turn[row, column] }
    }
    turned.a += product(unused, .transposed, product(unused, .asStored, reference.a, .asStored), .asStored)
    return turned
  }
}

/// The orthogonal T that maximises `tr(Tᵀ matrix)`: the solution of the Procrustes problem.
private func nearestOrthogonal(_ matrix: Matrix<Double>) throws -> Matrix<Double> {
  let svd = try matrix.withView { try singularValueDecomposition($0) }
  return product(svd.u, .asStored, svd.vTransposed, .asStored)
}

private func signs(ofDiagonalOf matrix: Matrix<Double>) -> Matrix<Double> {
  var result = Matrix<Double>(rows: matrix.rows, columns: matrix.columns)
  for index in 0..<matrix.rows { result[index, index] = matrix[index, index] < 0 ? -1 : 1 }
  return result
}

/// An orthonormal basis of a space that holds a matrix's columns, and the columns' coordinates in it.
private struct OrthogonalBasis {
  /// `nil` stands for the identity: a matrix that is not tall fills its space.
  private let basis: Matrix<Double>?
  let coordinates: Matrix<Double>

  init(ofColumnsOf matrix: Matrix<Double>) throws {
    guard matrix.rows > matrix.columns else {
      basis = nil
      coordinates = matrix
      return
    }
    let factors = try matrix.withView { try thinQR($0) }
    basis = factors.q
    coordinates = factors.r
  }

  /// The vectors (columns) that have these coordinates.
  func expand(_ columns: Matrix<Double>) -> Matrix<Double> {
    basis.map { product($0, .asStored, columns, .asStored) } ?? columns
  }
}

extension Matrix where Scalar == Double {
  /// The first columns, each scaled, then zeros up to `count` columns.
  fileprivate func leadingColumns(scaledBy scales: [Double], count: Int) -> Matrix {
    var result = Matrix(rows: rows, columns: count)
    for row in 0..<rows {
      for (column, scale) in scales.enumerated() { result[row, column] = scale * self[row, column] }
    }
    return result
  }

  static func += (left: inout Matrix, right: Matrix) {
    precondition(left.rows == right.rows && left.columns == right.columns, "a sum of two shapes")
    for index in left.elements.indices { left.elements[index] += right.elements[index] }
  }
}
