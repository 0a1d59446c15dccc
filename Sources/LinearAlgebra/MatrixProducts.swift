/// The product `op(left) · op(right)` of matrices that own their numbers. See the form for views.
public func product<Scalar: BLASScalar>(
  _ left: Matrix<Scalar>, _ leftOrientation: Orientation = .asStored,
  _ right: Matrix<Scalar>, _ rightOrientation: Orientation = .asStored
) -> Matrix<Scalar> {
  left.withView { left in
    right.withView { right in product(left, leftOrientation, right, rightOrientation) }
  }
}

/// `⟨left, right⟩` of matrices that own their numbers, accumulated in `Double`.
@inlinable
public func innerProduct<Scalar: BLASScalar>(_ left: Matrix<Scalar>, _ right: Matrix<Scalar>) -> Double {
  left.withView { left in right.withView { innerProduct(left, $0) } }
}

/// The product `op(matrix) · vector`. The corresponding BLAS function is `gemv`.
public func product<Scalar: LAPACKScalar>(
  _ matrix: MatrixView<Scalar>, _ orientation: Orientation = .asStored, vector: [Scalar]
) -> [Scalar] {
  let (rows, inner) =
    orientation == .asStored ? (matrix.rows, matrix.columns) : (matrix.columns, matrix.rows)
  precondition(vector.count == inner, "product of \(rows)×\(inner) and a vector of \(vector.count)")
  var result = [Scalar](repeating: 0, count: rows)
  guard rows > 0, inner > 0 else { return result }
  Scalar.gemv(matrix, transposed: orientation == .transposed, vector, &result)
  return result
}
