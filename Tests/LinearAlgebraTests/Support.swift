import LinearAlgebra

/// Numbers in (−1, 1) that depend on `seed` alone (a multiplicative congruential generator).
func sample<Scalar: BLASScalar>(_ rows: Int, _ columns: Int, seed: Int, as: Scalar.Type) -> Matrix<Scalar> {
  var state = UInt64(seed) &* 0x9E37_79B9_7F4A_7C15 | 1
  let elements = (0..<rows * columns).map { _ -> Scalar in
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return Scalar(Int(state >> 33) - 1 << 30) / Scalar(1 << 30)
  }
  return Matrix(rows: rows, columns: columns, elements: elements)
}

/// A product of thin samples: a matrix of the rank asked for.
func sample(_ rows: Int, _ columns: Int, ofRank rank: Int, seed: Int) -> Matrix<Double> {
  product(
    sample(rows, rank, seed: seed, as: Double.self), .asStored,
    sample(rank, columns, seed: seed + 1, as: Double.self), .asStored)
}

/// The slow, obvious product.
func naiveProduct<Scalar>(_ left: Matrix<Scalar>, _ right: Matrix<Scalar>) -> Matrix<Scalar> {
  var result = Matrix<Scalar>(rows: left.rows, columns: right.columns)
  for row in 0..<left.rows {
    for column in 0..<right.columns {
      for inner in 0..<left.columns { result[row, column] += left[row, inner] * right[inner, column] }
    }
  }
  return result
}

func diagonal<Scalar>(_ values: [Scalar]) -> Matrix<Scalar> {
  var result = Matrix<Scalar>(rows: values.count, columns: values.count)
  for (index, value) in values.enumerated() { result[index, index] = value }
  return result
}

/// The largest difference of two entries; infinite when the shapes differ or an entry is no number.
func distance<Scalar>(_ left: Matrix<Scalar>, _ right: Matrix<Scalar>) -> Double {
  guard left.rows == right.rows, left.columns == right.columns else { return .infinity }
  let differences = zip(left.elements, right.elements).map { Double(($0 - $1).magnitude) }
  return differences.contains { $0.isNaN } ? .infinity : differences.max() ?? 0
}

/// How far the columns are from being orthonormal.
func orthogonalityError<Scalar>(_ matrix: Matrix<Scalar>) -> Double {
  let gram = naiveProduct(matrix.transposed, matrix)
  return distance(gram, diagonal([Scalar](repeating: 1, count: matrix.columns)))
}

/// Shapes that take different ways: square, tall, wide, one row, one column, one number.
let shapes = [(5, 5), (13, 4), (4, 13), (1, 7), (7, 1), (1, 1), (40, 33)]
