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
public func innerProduct<Scalar: BLASScalar>(_ left: Matrix<Scalar>, _ right: Matrix<Scalar>) -> Double {
  left.withView { left in right.withView { innerProduct(left, $0) } }
}
