extension Matrix {
  /// The transpose of a lent matrix as a new matrix, converted to `Scalar`.
  @inlinable
  public init<Source: BLASScalar>(transposing view: MatrixView<Source>) {
    var result = Matrix(rows: view.columns, columns: view.rows)
    if !result.elements.isEmpty { result.withMutableView { transpose(view, into: $0) } }
    self = result
  }

  /// The transpose.
  @inlinable
  public var transposed: Matrix { withView { Matrix(transposing: $0) } }
}

/// `target ← sourceᵀ`, converted; `source` is m×n, `target` n×m.
@inlinable
public func transpose<Source: BLASScalar, Scalar: BLASScalar>(
  _ source: MatrixView<Source>, into target: MutableMatrixView<Scalar>
) {
  precondition(
    source.rows == target.columns && source.columns == target.rows,
    "transpose of \(source.rows)×\(source.columns) into \(target.rows)×\(target.columns)")
  // Tile by tile: a whole column of either side would miss the cache at every step.
  let tile = 32
  for top in stride(from: 0, to: source.rows, by: tile) {
    for left in stride(from: 0, to: source.columns, by: tile) {
      for column in left..<min(left + tile, source.columns) {
        for row in top..<min(top + tile, source.rows) {
          target[column, row] = Scalar(source[row, column])
        }
      }
    }
  }
}
