/// The thin singular value decomposition of an m×n matrix, with s = min(m, n).
public struct SVDFactors<Scalar: LAPACKScalar>: Sendable {
  /// m×s, orthonormal columns.
  public let u: Matrix<Scalar>
  /// s values, descending, not negative.
  public let values: [Scalar]
  /// s×n, orthonormal rows.
  public let vTransposed: Matrix<Scalar>
}

/// The thin singular value decomposition: `matrix = u · diag(values) · vTransposed`.
///
/// LAPACK's `gesdd`; where that does not converge, `gesvd`.
public func singularValueDecomposition<Scalar: LAPACKScalar>(
  _ matrix: MatrixView<Scalar>
) throws(LinearAlgebraError) -> SVDFactors<Scalar> {
  let size = min(matrix.rows, matrix.columns)
  var u = Matrix<Scalar>(rows: matrix.rows, columns: size)
  var vTransposed = Matrix<Scalar>(rows: size, columns: matrix.columns)
  guard size > 0 else { return SVDFactors(u: u, values: [], vTransposed: vTransposed) }
  let values = try u.withMutableView { (u) throws(LinearAlgebraError) in
    try vTransposed.withMutableView { (vTransposed) throws(LinearAlgebraError) in
      try decompose(matrix, u, vTransposed)
    }
  }
  return SVDFactors(u: u, values: values, vTransposed: vTransposed)
}

/// The min(m, n) singular values of `matrix`, descending.
public func singularValues<Scalar: LAPACKScalar>(
  _ matrix: MatrixView<Scalar>
) throws(LinearAlgebraError) -> [Scalar] {
  guard min(matrix.rows, matrix.columns) > 0 else { return [] }
  return try decompose(matrix, nil, nil)
}

private func decompose<Scalar: LAPACKScalar>(
  _ matrix: MatrixView<Scalar>, _ u: MutableMatrixView<Scalar>?, _ vTransposed: MutableMatrixView<Scalar>?
) throws(LinearAlgebraError) -> [Scalar] {
  var values = [Scalar](repeating: 0, count: min(matrix.rows, matrix.columns))
  // Each attempt overwrites its input, so each has its own copy.
  var copy = Matrix(matrix)
  var info = copy.withMutableView { Scalar.gesdd($0, &values, u, vTransposed) }
  if info <= 0 {
    try LinearAlgebraError.check("gesdd", Scalar.self, info)
    return values
  }
  copy = Matrix(matrix)
  info = copy.withMutableView { Scalar.gesvd($0, &values, u, vTransposed) }
  try LinearAlgebraError.check("gesvd", Scalar.self, info)
  return values
}
