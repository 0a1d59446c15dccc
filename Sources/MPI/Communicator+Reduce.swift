internal import CMPI

extension Communicator {
  /// Combines the ranks' numbers, element by element, in `result` on the root, which has as many
  /// elements as `part`; ignored elsewhere (`nil`).
  ///
  /// The order of a sum, and so its last bits, are the library's and depend on the number of ranks.
  /// The corresponding MPI function is `MPI_Reduce`.
  public func reduce<Element: MPIDatatype>(
    _ part: UnsafeBufferPointer<Element>, _ reduction: Reduction,
    into result: UnsafeMutableBufferPointer<Element>?, to root: Int
  ) throws(MPIError) {
    if rank == root { requireCapacity(result, of: part.count) }
    try requireAgreement("MPI_Reduce", count: part.count, root: root)
    for piece in pieces(of: part.count) {
      try check(
        "MPI_Reduce",
        MPI_Reduce(
          part.baseAddress.map { $0 + piece.lowerBound },
          result?.baseAddress.map { $0 + piece.lowerBound }, Int32(piece.count), Element.handle,
          reduction.handle, cNumber(root), handle))
    }
    record(.reduce(part.count * MemoryLayout<Element>.stride, isRoot: rank == root, size: size))
  }

  /// The ranks' arrays, of the same length, combined element by element; `nil` off the root.
  public func reduce<Element: MPIDatatype>(
    _ array: [Element], _ reduction: Reduction, to root: Int
  ) throws(MPIError) -> [Element]? {
    try receiving(array.count, at: root) { result throws(MPIError) in
      try array.withMPIBuffer { part throws(MPIError) in
        try reduce(part, reduction, into: result, to: root)
      }
    }
  }

  /// The ranks' numbers combined; `nil` off the root.
  public func reduce<Element: MPIDatatype>(
    _ value: Element, _ reduction: Reduction, to root: Int
  ) throws(MPIError) -> Element? {
    try reduce([value], reduction, to: root)?[0]
  }

  /// Combines the ranks' numbers, element by element, in place on every rank, where they are the same to
  /// the last bit. Every rank brings as many.
  ///
  /// The corresponding MPI function is `MPI_Allreduce`.
  public func allreduce<Element: MPIDatatype>(
    _ buffer: UnsafeMutableBufferPointer<Element>, _ reduction: Reduction
  ) throws(MPIError) {
    try requireAgreement("MPI_Allreduce", count: buffer.count)
    for piece in pieces(of: buffer.count) {
      try check(
        "MPI_Allreduce",
        MPI_Allreduce(
          cmpi_in_place(), buffer.baseAddress.map { $0 + piece.lowerBound }, Int32(piece.count),
          Element.handle, reduction.handle, handle))
    }
    record(.allreduce(buffer.count * MemoryLayout<Element>.stride, rank: rank, size: size))
  }

  /// Combines the ranks' arrays, of the same length, element by element, in place on every rank.
  public func allreduce<Element: MPIDatatype>(
    _ array: inout [Element], _ reduction: Reduction
  ) throws(MPIError) {
    try array.withMutableMPIBuffer { buffer throws(MPIError) in try allreduce(buffer, reduction) }
  }

  /// The ranks' numbers combined, on every rank.
  public func allreduce<Element: MPIDatatype>(
    _ value: Element, _ reduction: Reduction
  ) throws(MPIError) -> Element {
    var result = value
    try withUnsafeMutablePointer(to: &result) { pointer throws(MPIError) in
      try allreduce(UnsafeMutableBufferPointer(start: pointer, count: 1), reduction)
    }
    return result
  }
}
