internal import CMPI

/// A collective operation that is under way.
///
/// Its buffers belong to MPI until `wait` returns: they must stay where they are, and neither be read nor
/// written. Every rank starts its pending operations in the same order, and ends each by one `wait`. One that is
/// dropped on a throwing path is left to the end of the job.
public final class PendingOperation {
  private var requests: [cmpi_request]
  private let function: String
  private let transfer: Transfer
  private let odometer: Odometer
  private var isDone = false

  init(_ requests: [cmpi_request], _ function: String, _ transfer: Transfer, _ odometer: Odometer) {
    self.requests = requests
    self.function = function
    self.transfer = transfer
    self.odometer = odometer
  }

  /// Waits until the operation is done on this rank, and counts its bytes.
  ///
  /// The corresponding MPI function is `MPI_Waitall`.
  public func wait() throws(MPIError) {
    precondition(!isDone, "\(function) was waited for twice")
    try check(function, cmpi_wait_all(Int32(requests.count), &requests))
    isDone = true
    odometer.total += transfer
  }

  /// Lets MPI go on with the operation, and says whether it is done: a library without a thread of its own
  /// moves nothing between calls.
  ///
  /// The corresponding MPI function is `MPI_Testall`.
  @discardableResult
  public func advance() throws(MPIError) -> Bool {
    var done: Int32 = 0
    try check(function, cmpi_test_all(Int32(requests.count), &requests, &done))
    return done != 0
  }
}

extension Communicator {
  /// Starts a gather of `layout`'s number of elements from every rank, in the order of ranks, into `whole` on
  /// the root (`nil` elsewhere).
  ///
  /// The corresponding MPI function is `MPI_Igatherv`; beyond what it can address, `MPI_Isend` and `MPI_Irecv`.
  public func startGather<Element: MPIDatatype>(
    _ part: UnsafeBufferPointer<Element>, layout: RankLayout,
    into whole: UnsafeMutableBufferPointer<Element>?, to root: Int
  ) throws(MPIError) -> PendingOperation {
    layout.require(rank: rank, of: size, count: part.count)
    if rank == root { requireCapacity(whole, of: layout.totalCount) }
    let stride = MemoryLayout<Element>.stride
    let transfer = Transfer.gather(
      part.count * stride, of: layout.totalCount * stride, isRoot: rank == root)
    guard layout.fits(elementLimit) else {
      let requests = try startGatherInParts(part, layout, into: whole, to: root)
      return PendingOperation(requests, "MPI_Isend and MPI_Irecv", transfer, odometer)
    }
    let request = try startWholeGather(part, layout, into: whole, to: root)
    return PendingOperation([request], "MPI_Igatherv", transfer, odometer)
  }

  private func startWholeGather<Element: MPIDatatype>(
    _ part: UnsafeBufferPointer<Element>, _ layout: RankLayout,
    into whole: UnsafeMutableBufferPointer<Element>?, to root: Int
  ) throws(MPIError) -> cmpi_request {
    var request = cmpi_request()
    try check(
      "MPI_Igatherv",
      cmpi_igatherv(
        part.baseAddress, layout.cCounts[rank], Element.handle, whole?.baseAddress, layout.cCounts,
        layout.cOffsets, cNumber(root), handle, &request))
    return request
  }

  /// Starts a copy of the root's numbers over those of every other rank. Every rank brings as many.
  ///
  /// The corresponding MPI function is `MPI_Ibcast`.
  public func startBroadcast<Element: MPIDatatype>(
    _ buffer: UnsafeMutableBufferPointer<Element>, from root: Int
  ) throws(MPIError) -> PendingOperation {
    let request = try withExtent(of: buffer.count, Element.self) { count, type throws(MPIError) in
      var request = cmpi_request()
      try check(
        "MPI_Ibcast", cmpi_ibcast(buffer.baseAddress, count, type, cNumber(root), handle, &request))
      return request
    }
    return PendingOperation(
      [request], "MPI_Ibcast",
      .broadcast(buffer.count * MemoryLayout<Element>.stride, isRoot: rank == root, size: size), odometer)
  }
}
