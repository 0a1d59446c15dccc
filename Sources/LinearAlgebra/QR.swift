/// The thin QR decomposition of an m×n matrix, with s = min(m, n).
public struct QRFactors<Scalar: LAPACKScalar>: Sendable {
  /// m×s, orthonormal columns.
  public let q: Matrix<Scalar>
  /// s×n, zero below the diagonal.
  public let r: Matrix<Scalar>

  @inlinable
  init(q: Matrix<Scalar>, r: Matrix<Scalar>) {
    self.q = q
    self.r = r
  }
}

/// The thin QR decomposition of `matrix` (m×n): `matrix = q · r`. LAPACK's `geqrf` and `orgqr`.
@inlinable
public func thinQR<Scalar: LAPACKScalar>(
  _ matrix: MatrixView<Scalar>
) throws(LinearAlgebraError) -> QRFactors<Scalar> {
  let size = min(matrix.rows, matrix.columns)
  guard size > 0 else {
    return QRFactors(
      q: Matrix(rows: matrix.rows, columns: 0), r: Matrix(rows: 0, columns: matrix.columns))
  }
  let (reflectors, tau) = try householder(matrix)
  var q = reflectors.withView { Matrix($0.columns(0..<size)) }
  let info = q.withMutableView { Scalar.orgqr($0, tau) }
  try LinearAlgebraError.check("orgqr", Scalar.self, info)
  return QRFactors(q: q, r: upperTriangle(reflectors, rows: size))
}

/// The factor `r` of the thin QR decomposition alone (min(m, n)×n); cheaper than `thinQR`.
@inlinable
public func triangularFactor<Scalar: LAPACKScalar>(
  _ matrix: MatrixView<Scalar>
) throws(LinearAlgebraError) -> Matrix<Scalar> {
  let size = min(matrix.rows, matrix.columns)
  guard size > 0 else { return Matrix(rows: 0, columns: matrix.columns) }
  return upperTriangle(try householder(matrix).reflectors, rows: size)
}

@inlinable
func householder<Scalar: LAPACKScalar>(
  _ matrix: MatrixView<Scalar>
) throws(LinearAlgebraError) -> (reflectors: Matrix<Scalar>, tau: [Scalar]) {
  var reflectors = Matrix(matrix)
  var tau = [Scalar](repeating: 0, count: min(matrix.rows, matrix.columns))
  let info = reflectors.withMutableView { Scalar.geqrf($0, &tau) }
  try LinearAlgebraError.check("geqrf", Scalar.self, info)
  return (reflectors, tau)
}

@inlinable
func upperTriangle<Scalar: LAPACKScalar>(
  _ matrix: Matrix<Scalar>, rows: Int
) -> Matrix<Scalar> {
  var triangle = Matrix<Scalar>(rows: rows, columns: matrix.columns)
  for row in 0..<rows {
    for column in row..<matrix.columns { triangle[row, column] = matrix[row, column] }
  }
  return triangle
}
