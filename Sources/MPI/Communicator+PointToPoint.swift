internal import CMPI

/// Where a received message came from, and its length in elements.
public struct Envelope: Equatable, Sendable {
  public let source: Int
  public let tag: Int
  public let count: Int
}

extension Communicator {
  /// Sends the elements to one rank, which receives them under the same tag (from 0 to 32765). Returns
  /// when the buffer may be used again; a long message waits for its receiver, so no rank may send to
  /// itself in this way.
  ///
  /// The corresponding MPI function is `MPI_Send`.
  public func send<Element: MPIDatatype>(
    _ buffer: UnsafeBufferPointer<Element>, to destination: Int, tag: Int = 0
  ) throws(MPIError) {
    try withExtent(of: buffer.count, Element.self) { count, type throws(MPIError) in
      try check(
        "MPI_Send",
        MPI_Send(buffer.baseAddress, count, type, cNumber(destination), cNumber(tag), handle))
    }
    if destination != rank {
      record(Transfer(sentByteCount: buffer.count * MemoryLayout<Element>.stride))
    }
  }

  /// Sends an array to one rank.
  public func send<Element: MPIDatatype>(
    _ array: [Element], to destination: Int, tag: Int = 0
  ) throws(MPIError) {
    try array.withMPIBuffer { buffer throws(MPIError) in try send(buffer, to: destination, tag: tag) }
  }

  /// Receives a message of at most `buffer.count` elements from one rank, or from any (`nil`); a longer
  /// one is `MPI_ERR_TRUNCATE`.
  ///
  /// The corresponding MPI function is `MPI_Recv`.
  @discardableResult
  public func receive<Element: MPIDatatype>(
    into buffer: UnsafeMutableBufferPointer<Element>, from source: Int?, tag: Int = 0
  ) throws(MPIError) -> Envelope {
    var status = MPI_Status()
    try withExtent(of: buffer.count, Element.self) { count, type throws(MPIError) in
      try check(
        "MPI_Recv",
        MPI_Recv(
          buffer.baseAddress, count, type, cSource(source), cNumber(tag), handle, &status))
    }
    return try received(&status, as: Element.self)
  }

  /// Receives a message of whatever length from one rank, or from any (`nil`). A message that is not a
  /// whole number of elements is an error, and stays to be received as another type.
  ///
  /// The corresponding MPI functions are `MPI_Probe` and `MPI_Recv`.
  public func receiveArray<Element: MPIDatatype>(
    of type: Element.Type, from source: Int?, tag: Int = 0
  ) throws(MPIError) -> (array: [Element], envelope: Envelope) {
    var status = MPI_Status()
    try check("MPI_Probe", MPI_Probe(cSource(source), cNumber(tag), handle, &status))
    var array = [Element](zeroCount: try elementCount(&status, as: type))
    let found = Int(status.MPI_SOURCE)
    let envelope = try array.withMutableMPIBuffer { buffer throws(MPIError) in
      try receive(into: buffer, from: found, tag: tag)
    }
    return (array, envelope)
  }
}

extension Communicator {
  private func cSource(_ source: Int?) -> Int32 { source.map(cNumber) ?? cmpi_any_source() }

  /// The envelope of a message that is in; counts its bytes.
  private func received<Element: MPIDatatype>(
    _ status: inout MPI_Status, as type: Element.Type
  ) throws(MPIError) -> Envelope {
    let count = try elementCount(&status, as: type)
    if Int(status.MPI_SOURCE) != rank {
      record(Transfer(receivedByteCount: count * MemoryLayout<Element>.stride))
    }
    return Envelope(source: Int(status.MPI_SOURCE), tag: Int(status.MPI_TAG), count: count)
  }

  /// The length of a message; throws when it is not a whole number of elements.
  private func elementCount<Element: MPIDatatype>(
    _ status: inout MPI_Status, as type: Element.Type
  ) throws(MPIError) -> Int {
    var count: Int64 = 0
    try check("MPI_Get_elements_x", cmpi_element_count(&status, Element.handle, &count))
    guard count >= 0 else {
      throw .refused(
        "MPI_Get_elements_x", cmpi_err_type(),
        "the message from rank \(status.MPI_SOURCE) is not a whole number of \(type) elements")
    }
    return Int(count)
  }
}
