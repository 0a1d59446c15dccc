internal import CMPI

extension Communicator {
  /// Copies the root's numbers over those of every other rank. Every rank brings as many.
  ///
  /// The corresponding MPI function is `MPI_Bcast`.
  public func broadcast<Element: MPIDatatype>(
    _ buffer: UnsafeMutableBufferPointer<Element>, from root: Int
  ) throws(MPIError) {
    try requireAgreement("MPI_Bcast", count: buffer.count, root: root)
    try withExtent(of: buffer.count, Element.self) { count, type throws(MPIError) in
      try check("MPI_Bcast", MPI_Bcast(buffer.baseAddress, count, type, cNumber(root), handle))
    }
    record(
      .broadcast(buffer.count * MemoryLayout<Element>.stride, isRoot: rank == root, size: size))
  }

  /// Copies the root's numbers over those of every other rank. Every rank brings as many.
  public func broadcast<Element: MPIDatatype>(
    _ span: inout MutableSpan<Element>, from root: Int
  ) throws(MPIError) {
    try span.withUnsafeMutableBufferPointer { buffer throws(MPIError) in
      try broadcast(buffer, from: root)
    }
  }

  /// Copies the root's array over that of every other rank. Every rank brings one of the same length;
  /// where only the root knows it, see `broadcastArray`.
  public func broadcast<Element: MPIDatatype>(
    _ array: inout [Element], from root: Int
  ) throws(MPIError) {
    try array.withMutableMPIBuffer { buffer throws(MPIError) in
      try broadcast(buffer, from: root)
    }
  }

  /// Copies the root's number over that of every other rank.
  public func broadcast<Element: MPIDatatype>(
    _ value: inout Element, from root: Int
  ) throws(MPIError) {
    try withUnsafeMutablePointer(to: &value) { pointer throws(MPIError) in
      try broadcast(UnsafeMutableBufferPointer(start: pointer, count: 1), from: root)
    }
  }

  /// Replaces the array of every other rank with the root's, of whatever length; 8 bytes more than the
  /// array go to each.
  public func broadcastArray<Element: MPIDatatype>(
    _ array: inout [Element], from root: Int
  ) throws(MPIError) {
    var count = Int64(array.count)
    try broadcast(&count, from: root)
    if rank != root { array = [Element](zeroCount: Int(count)) }
    try broadcast(&array, from: root)
  }

  /// Replaces the text of every other rank with the root's.
  public func broadcastString(_ text: inout String, from root: Int) throws(MPIError) {
    var bytes = rank == root ? Array(text.utf8) : []
    try broadcastArray(&bytes, from: root)
    if rank != root { text = String(decoding: bytes, as: UTF8.self) }
  }
}
