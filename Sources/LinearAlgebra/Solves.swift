/// The least-norm, least-squares `x` of `matrix · x = right` for a symmetric matrix without negative
/// eigenvalues (beyond rounding).
///
/// A well-conditioned matrix is solved by Cholesky; otherwise eigenvalues below `relativeCutOff` of the
/// largest count as zero. `matrix` is n×n and full (both triangles), `right` has n numbers.
public func semidefiniteSolution<Scalar: LAPACKScalar>(
  _ matrix: Matrix<Scalar>, _ right: [Scalar], relativeCutOff: Scalar
) throws(LinearAlgebraError) -> [Scalar] {
  precondition(
    matrix.rows == matrix.columns && matrix.rows == right.count,
    "\(matrix.rows)×\(matrix.columns) equations, \(right.count) right-hand sides")
  guard !right.isEmpty else { return [] }
  // A hundred times the cut-off: no eigenvalue that the other branch would drop reaches Cholesky.
  if let solution = try choleskySolution(matrix, right, leastReciprocal: 100 * relativeCutOff) {
    return solution
  }
  let factors = try matrix.withView { (view) throws(LinearAlgebraError) in try symmetricEigen(view) }
  let column = Matrix(rows: right.count, columns: 1, elements: right)
  var inner = product(factors.vectors, .transposed, column)
  scaleRows(&inner, byReciprocalsOf: factors.values, relativeCutOff: relativeCutOff)
  return product(factors.vectors, .asStored, inner).elements
}

/// `nil` when the matrix is not positive definite or its reciprocal condition is below the limit.
private func choleskySolution<Scalar: LAPACKScalar>(
  _ matrix: Matrix<Scalar>, _ right: [Scalar], leastReciprocal: Scalar
) throws(LinearAlgebraError) -> [Scalar]? {
  var factor = matrix
  var reciprocal: Scalar = 0
  let norm = oneNorm(matrix)
  var info = factor.withMutableView { Scalar.potrf($0) }
  if info > 0 { return nil }
  try LinearAlgebraError.check("potrf", Scalar.self, info)
  info = factor.withMutableView { Scalar.pocon($0, norm: norm, &reciprocal) }
  try LinearAlgebraError.check("pocon", Scalar.self, info)
  guard reciprocal > leastReciprocal else { return nil }
  var solution = Matrix(rows: right.count, columns: 1, elements: right)
  info = factor.withMutableView { factor in solution.withMutableView { Scalar.potrs(factor, $0) } }
  try LinearAlgebraError.check("potrs", Scalar.self, info)
  return solution.elements
}

/// The largest sum of magnitudes of a column.
private func oneNorm<Scalar: LAPACKScalar>(_ matrix: Matrix<Scalar>) -> Scalar {
  var sums = [Scalar](repeating: 0, count: matrix.columns)
  for row in 0..<matrix.rows {
    for column in 0..<matrix.columns { sums[column] += matrix[row, column].magnitude }
  }
  return sums.max() ?? 0
}

/// Divides row `i` by `values[i]`, or clears it where that is below the cut-off.
private func scaleRows<Scalar: LAPACKScalar>(
  _ matrix: inout Matrix<Scalar>, byReciprocalsOf values: [Scalar], relativeCutOff: Scalar
) {
  let limit = relativeCutOff * (values.max() ?? 0)
  for (row, value) in values.enumerated() {
    let factor: Scalar = value > limit ? 1 / value : 0
    for column in 0..<matrix.columns { matrix[row, column] *= factor }
  }
}
