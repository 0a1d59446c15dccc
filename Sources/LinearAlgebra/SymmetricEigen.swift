/// Eigenvalues and eigenvectors of a symmetric n×n matrix.
public struct SymmetricEigenFactors<Scalar: LAPACKScalar>: Sendable {
  /// n values, ascending.
  public let values: [Scalar]
  /// n×n; column `i` belongs to `values[i]`.
  public let vectors: Matrix<Scalar>
}

/// The eigenvalues and eigenvectors of a symmetric matrix, of which the lower triangle is read.
/// LAPACK's `syevd`.
public func symmetricEigen<Scalar: LAPACKScalar>(
  _ matrix: MatrixView<Scalar>
) throws(LinearAlgebraError) -> SymmetricEigenFactors<Scalar> {
  precondition(matrix.rows == matrix.columns, "a symmetric \(matrix.rows)×\(matrix.columns) matrix")
  var vectors = Matrix(matrix)
  var values = [Scalar](repeating: 0, count: matrix.rows)
  guard matrix.rows > 0 else { return SymmetricEigenFactors(values: values, vectors: vectors) }
  let info = vectors.withMutableView { Scalar.syevd($0, &values) }
  try LinearAlgebraError.check("syevd", Scalar.self, info)
  return SymmetricEigenFactors(values: values, vectors: vectors)
}
