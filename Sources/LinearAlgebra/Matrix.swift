/// A row-major matrix that owns its numbers; rows are contiguous.
public struct Matrix<Scalar: BLASScalar>: Sendable, Equatable {
  public let rows: Int
  public let columns: Int
  /// `rows * columns` numbers, row after row.
  public var elements: [Scalar]

  /// A matrix of zeros.
  @inlinable
  public init(rows: Int, columns: Int) {
    self.init(rows: rows, columns: columns, elements: [Scalar](repeating: 0, count: rows * columns))
  }

  @inlinable
  public init(rows: Int, columns: Int, elements: [Scalar]) {
    precondition(elements.count == rows * columns, "\(elements.count) numbers for \(rows)×\(columns)")
    self.rows = rows
    self.columns = columns
    self.elements = elements
  }

  /// A copy of a lent matrix.
  @inlinable
  public init(_ view: MatrixView<Scalar>) {
    var elements = [Scalar]()
    elements.reserveCapacity(view.rows * view.columns)
    for row in 0..<view.rows {
      elements.append(
        contentsOf: UnsafeBufferPointer(start: view.base + row * view.stride, count: view.columns))
    }
    self.init(rows: view.rows, columns: view.columns, elements: elements)
  }

  /// A copy of a lent matrix, converted to `Scalar`.
  @inlinable
  public init<Source: BLASScalar>(_ view: MatrixView<Source>) {
    let count = view.rows * view.columns
    let elements = [Scalar](unsafeUninitializedCapacity: count) { target, initializedCount in
      for row in 0..<view.rows {
        let start = view.base + row * view.stride
        for column in 0..<view.columns { target[row * view.columns + column] = Scalar(start[column]) }
      }
      initializedCount = count
    }
    self.init(rows: view.rows, columns: view.columns, elements: elements)
  }

  @inlinable
  public subscript(row: Int, column: Int) -> Scalar {
    get { elements[row * columns + column] }
    set { elements[row * columns + column] = newValue }
  }

  /// Lends the numbers for the duration of `body`.
  @inlinable
  public func withView<Result, Failure: Error>(
    _ body: (MatrixView<Scalar>) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    // An empty array has no address; a view of nothing still needs one.
    guard !elements.isEmpty else {
      return try withUnsafeEmptyView(rows, columns, body)
    }
    return try elements.withUnsafeBufferPointer { (buffer) throws(Failure) in
      try body(MatrixView(buffer.baseAddress!, rows: rows, columns: columns))
    }
  }

  /// Lends the numbers for writing for the duration of `body`.
  @inlinable
  public mutating func withMutableView<Result, Failure: Error>(
    _ body: (MutableMatrixView<Scalar>) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    let (rows, columns) = (rows, columns)
    precondition(!elements.isEmpty, "a \(rows)×\(columns) matrix has nothing to write")
    return try elements.withUnsafeMutableBufferPointer { (buffer) throws(Failure) in
      try body(MutableMatrixView(buffer.baseAddress!, rows: rows, columns: columns))
    }
  }
}

@inlinable
func withUnsafeEmptyView<Scalar: BLASScalar, Result, Failure: Error>(
  _ rows: Int, _ columns: Int, _ body: (MatrixView<Scalar>) throws(Failure) -> Result
) throws(Failure) -> Result {
  let address = UnsafePointer<Scalar>(bitPattern: MemoryLayout<Scalar>.alignment)!
  return try body(MatrixView(address, rows: rows, columns: columns))
}
