/// `⟨left, right⟩ = Σ left_ij right_ij` of two matrices of one shape, accumulated in `Double`.
@inlinable
public func innerProduct<Scalar: BLASScalar>(
  _ left: MatrixView<Scalar>, _ right: MatrixView<Scalar>
) -> Double {
  precondition(
    left.rows == right.rows && left.columns == right.columns,
    "inner product of \(left.rows)×\(left.columns) and \(right.rows)×\(right.columns)")
  var sum = 0.0
  for row in 0..<left.rows {
    sum += innerProduct(left.base + row * left.stride, right.base + row * right.stride, left.columns)
  }
  return sum
}

/// `√Σ x_ij²`, accumulated in `Double`: `Float` entries neither overflow nor underflow.
@inlinable
public func frobeniusNorm<Scalar: BLASScalar>(_ matrix: MatrixView<Scalar>) -> Double {
  innerProduct(matrix, matrix).squareRoot()
}

extension Matrix {
  /// `√Σ x_ij²`, accumulated in `Double`.
  @inlinable
  public var frobeniusNorm: Double { withView { LinearAlgebra.frobeniusNorm($0) } }
}

/// Eight running sums: a single one would wait for every addition and could not be vectorised.
@inlinable
func innerProduct<Scalar: BLASScalar>(
  _ left: UnsafePointer<Scalar>, _ right: UnsafePointer<Scalar>, _ count: Int
) -> Double {
  var lanes = SIMD8<Double>.zero
  let whole = count & ~7
  for start in stride(from: 0, to: whole, by: 8) {
    for lane in 0..<8 { lanes[lane] += Double(left[start + lane]) * Double(right[start + lane]) }
  }
  var sum = lanes.sum()
  for index in whole..<count { sum += Double(left[index]) * Double(right[index]) }
  return sum
}
