/// What decides the time of a matrix product besides its numbers: `op(left)` m×k times `op(right)` k×n.
public struct ProductShape: Hashable, Sendable {
  public let m: Int
  public let n: Int
  public let k: Int
  public let left: Orientation
  public let right: Orientation

  public init<Scalar>(
    _ left: MatrixView<Scalar>, _ leftOrientation: Orientation, _ right: MatrixView<Scalar>,
    _ rightOrientation: Orientation
  ) {
    (m, k) = leftOrientation == .asStored ? (left.rows, left.columns) : (left.columns, left.rows)
    n = rightOrientation == .asStored ? right.columns : right.rows
    self.left = leftOrientation
    self.right = rightOrientation
  }

  /// The product of `left` and a matrix that is stored as rows × columns.
  public init<Scalar>(
    _ left: MatrixView<Scalar>, weightRows: Int, weightColumns: Int, _ weightOrientation: Orientation
  ) {
    (m, k) = (left.rows, left.columns)
    n = weightOrientation == .asStored ? weightColumns : weightRows
    self.left = .asStored
    right = weightOrientation
  }

  /// Multiplications and additions.
  public var operationCount: Int { 2 * m * n * k }

  /// Room for an operand, stored as it enters: rows × columns.
  public var leftStored: (rows: Int, columns: Int) { left == .asStored ? (m, k) : (k, m) }
  public var rightStored: (rows: Int, columns: Int) { right == .asStored ? (k, n) : (n, k) }
}
