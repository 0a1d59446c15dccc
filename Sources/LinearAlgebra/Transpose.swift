extension Matrix {
  /// The transpose of a lent matrix as a new matrix, converted to `Scalar`.
  public init<Source: BLASScalar>(transposing view: MatrixView<Source>) {
    var result = Matrix(rows: view.columns, columns: view.rows)
    if !result.elements.isEmpty { result.withMutableView { transpose(view, into: $0) } }
    self = result
  }

  /// The transpose.
  public var transposed: Matrix { withView { Matrix(transposing: $0) } }
}

/// `target ← sourceᵀ`, converted; `source` is m×n, `target` n×m.
public func transpose<Source: BLASScalar, Scalar: BLASScalar>(
  _ source: MatrixView<Source>, into target: MutableMatrixView<Scalar>
) {
  precondition(
    source.rows == target.columns && source.columns == target.rows,
    "transpose of \(source.rows)×\(source.columns) into \(target.rows)×\(target.columns)")
  for row in 0..<source.rows {
    for column in 0..<source.columns { target[column, row] = Scalar(source[row, column]) }
  }
}
