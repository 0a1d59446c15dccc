/// The Gram matrix `op(matrix) · op(matrix)ᵀ`, full and exactly symmetric, by one rank-k update.
///
/// As stored: the inner products of the rows (m×m); transposed: those of the columns (n×n). The
/// corresponding BLAS function is `syrk`.
@inlinable
public func gramMatrix<Scalar: LAPACKScalar>(
  _ matrix: MatrixView<Scalar>, _ orientation: Orientation = .asStored
) -> Matrix<Scalar> {
  let size = orientation == .asStored ? matrix.rows : matrix.columns
  var gram = Matrix<Scalar>(rows: size, columns: size)
  guard size > 0 else { return gram }
  gram.withMutableView { target in
    Scalar.syrk(matrix, transposed: orientation == .transposed, into: target, beta: 0)
    mirrorUpperTriangle(target)
  }
  return gram
}

/// Adds the Gram matrix `op(matrix) · op(matrix)ᵀ` to the upper triangle of `target`; what is below the diagonal
/// stays as it is. The corresponding BLAS function is `syrk`.
public func addGramMatrix<Scalar: LAPACKScalar>(
  of matrix: MatrixView<Scalar>, _ orientation: Orientation = .asStored,
  to target: MutableMatrixView<Scalar>
) {
  let size = orientation == .asStored ? matrix.rows : matrix.columns
  precondition(
    target.rows == size && target.columns == size,
    "a Gram matrix of \(size) vectors into \(target.rows)×\(target.columns)")
  guard size > 0 else { return }
  Scalar.syrk(matrix, transposed: orientation == .transposed, into: target, beta: 1)
}

/// Copies the upper triangle to the lower one, block by block: a column walk misses the cache.
@inlinable
public func mirrorUpperTriangle<Scalar: LAPACKScalar>(_ target: MutableMatrixView<Scalar>) {
  let block = 32
  for top in stride(from: 0, to: target.rows, by: block) {
    for left in stride(from: 0, through: top, by: block) {
      for row in top..<min(top + block, target.rows) {
        for column in left..<min(left + block, row) { target[row, column] = target[column, row] }
      }
    }
  }
}
