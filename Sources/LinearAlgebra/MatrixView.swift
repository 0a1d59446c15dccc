/// A lent row-major matrix: it does not own its numbers and must not outlive them.
///
/// Row `i` begins at `base + i * stride`; `stride >= columns`, so that a block of columns of a wider
/// matrix is a view too.
public struct MatrixView<Scalar: BLASScalar>: @unchecked Sendable {
  public let base: UnsafePointer<Scalar>
  public let rows: Int
  public let columns: Int
  public let stride: Int

  @inlinable
  public init(_ base: UnsafePointer<Scalar>, rows: Int, columns: Int, stride: Int? = nil) {
    self.base = base
    self.rows = rows
    self.columns = columns
    self.stride = stride ?? columns
    precondition(
      rows >= 0 && columns >= 0 && self.stride >= columns,
      "a \(rows)×\(columns) view with stride \(self.stride)")
  }

  /// The number in row `row` and column `column`.
  @inlinable
  public subscript(row: Int, column: Int) -> Scalar { base[row * stride + column] }

  /// The rows of `range`, as a view of the same numbers.
  @inlinable
  public func rows(_ range: Range<Int>) -> MatrixView {
    precondition(range.lowerBound >= 0 && range.upperBound <= rows, "rows \(range) of \(rows)")
    return MatrixView(base + range.lowerBound * stride, rows: range.count, columns: columns, stride: stride)
  }

  /// The columns of `range`, as a view of the same numbers.
  @inlinable
  public func columns(_ range: Range<Int>) -> MatrixView {
    precondition(range.lowerBound >= 0 && range.upperBound <= columns, "columns \(range) of \(columns)")
    return MatrixView(base + range.lowerBound, rows: rows, columns: range.count, stride: stride)
  }
}

/// A lent row-major matrix that can be written. See `MatrixView`.
public struct MutableMatrixView<Scalar: BLASScalar>: @unchecked Sendable {
  public let base: UnsafeMutablePointer<Scalar>
  public let rows: Int
  public let columns: Int
  public let stride: Int

  @inlinable
  public init(_ base: UnsafeMutablePointer<Scalar>, rows: Int, columns: Int, stride: Int? = nil) {
    self.base = base
    self.rows = rows
    self.columns = columns
    self.stride = stride ?? columns
    precondition(
      rows >= 0 && columns >= 0 && self.stride >= columns,
      "a \(rows)×\(columns) view with stride \(self.stride)")
  }

  /// The same numbers, to read only.
  @inlinable
  public var view: MatrixView<Scalar> {
    MatrixView(UnsafePointer(base), rows: rows, columns: columns, stride: stride)
  }

  /// The number in row `row` and column `column`.
  @inlinable
  public subscript(row: Int, column: Int) -> Scalar {
    get { base[row * stride + column] }
    nonmutating set { base[row * stride + column] = newValue }
  }

  /// The rows of `range`, as a view of the same numbers.
  @inlinable
  public func rows(_ range: Range<Int>) -> MutableMatrixView {
    precondition(range.lowerBound >= 0 && range.upperBound <= rows, "rows \(range) of \(rows)")
    return MutableMatrixView(
      base + range.lowerBound * stride, rows: range.count, columns: columns, stride: stride)
  }

  /// The columns of `range`, as a view of the same numbers.
  @inlinable
  public func columns(_ range: Range<Int>) -> MutableMatrixView {
    precondition(range.lowerBound >= 0 && range.upperBound <= columns, "columns \(range) of \(columns)")
    return MutableMatrixView(base + range.lowerBound, rows: rows, columns: range.count, stride: stride)
  }
}
