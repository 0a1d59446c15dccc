/// How an operand enters a product.
public enum Orientation: Sendable {
  case asStored
  case transposed
}

/// `target ← alpha · op(left) · op(right) + beta · target`.
///
/// Shapes: op(left) m×k, op(right) k×n, target m×n; a mismatch is a programmer's error and traps.
/// The corresponding BLAS function is `gemm`.
public func multiply<Scalar: BLASScalar>(
  _ left: MatrixView<Scalar>, _ leftOrientation: Orientation = .asStored,
  _ right: MatrixView<Scalar>, _ rightOrientation: Orientation = .asStored,
  into target: MutableMatrixView<Scalar>, alpha: Scalar = 1, beta: Scalar = 0
) {
  let shape = ProductShape(left, leftOrientation, right, rightOrientation)
  let (m, n, k) = (shape.m, shape.n, shape.k)
  let inner = rightOrientation == .asStored ? right.rows : right.columns
  precondition(
    k == inner && target.rows == m && target.columns == n,
    "product of \(m)×\(k) and \(inner)×\(n) into \(target.rows)×\(target.columns)")
  guard m > 0, n > 0 else { return }
  Scalar.gemm(
    GEMMCall(
      transposeA: leftOrientation == .transposed, transposeB: rightOrientation == .transposed,
      m: m, n: n, k: k, alpha: alpha, a: left.base, lda: max(left.stride, 1),
      b: right.base, ldb: max(right.stride, 1), beta: beta, c: target.base, ldc: max(target.stride, 1)))
}

/// The product `op(left) · op(right)` as a new matrix.
public func product<Scalar: BLASScalar>(
  _ left: MatrixView<Scalar>, _ leftOrientation: Orientation = .asStored,
  _ right: MatrixView<Scalar>, _ rightOrientation: Orientation = .asStored
) -> Matrix<Scalar> {
  let shape = ProductShape(left, leftOrientation, right, rightOrientation)
  var result = Matrix<Scalar>(rows: shape.m, columns: shape.n)
  guard shape.m > 0, shape.n > 0 else { return result }
  result.withMutableView { multiply(left, leftOrientation, right, rightOrientation, into: $0) }
  return result
}
