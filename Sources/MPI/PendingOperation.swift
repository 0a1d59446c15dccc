internal import CMPI

/// A collective operation that is under way.
///
/// Its buffers belong to MPI until `wait` returns: they must stay where they are, and neither be read nor
/// written. Every rank starts its pending operations in the same order, and ends each by one `wait`. One that is
/// dropped on a throwing path is left to the end of the job.
public final class PendingOperation {
  private var request: cmpi_request
  private let function: String
  private let transfer: Transfer
  private let odometer: Odometer
  private var isDone = false

  init(_ request: cmpi_request, _ function: String, _ transfer: Transfer, _ odometer: Odometer) {
    self.request = request
    self.function = function
    self.transfer = transfer
    self.odometer = odometer
  }

  /// Waits until the operation is done on this rank, and counts its bytes.
  ///
  /// The corresponding MPI function is `MPI_Wait`.
  public func wait() throws(MPIError) {
    precondition(!isDone, "\(function) was waited for twice")
    try check(function, cmpi_wait(&request))
    isDone = true
    odometer.total += transfer
  }

  /// Lets MPI go on with the operation, and says whether it is done: a library without a thread of its own
  /// moves nothing between calls.
  ///
  /// The corresponding MPI function is `MPI_Test`.
  @discardableResult
  public func advance() throws(MPIError) -> Bool {
    var done: Int32 = 0
    try check(function, cmpi_test(&request, &done))
    return done != 0
  }
}

extension Communicator {
  /// Starts a gather of `layout`'s number of elements from every rank, in the order of ranks, into `whole` on
  /// the root (`nil` elsewhere). Throws when the whole has more elements than MPI addresses with 32 bits.
  ///
  /// The corresponding MPI function is `MPI_Igatherv`.
  public func startGather<Element: MPIDatatype>(
    _ part: UnsafeBufferPointer<Element>, layout: RankLayout,
    into whole: UnsafeMutableBufferPointer<Element>?, to root: Int
  ) throws(MPIError) -> PendingOperation {
    layout.require(rank: rank, of: size, count: part.count)
    if rank == root { requireCapacity(whole, of: layout.totalCount) }
    guard layout.fits(elementLimit) else { throw .tooLong("MPI_Igatherv", layout.totalCount) }
    var request = cmpi_request()
    try check(
      "MPI_Igatherv",
      cmpi_igatherv(
        part.baseAddress, layout.cCounts[rank], Element.handle, whole?.baseAddress, layout.cCounts,
        layout.cOffsets, cNumber(root), handle, &request))
    let stride = MemoryLayout<Element>.stride
    return PendingOperation(
      request, "MPI_Igatherv",
      .gather(part.count * stride, of: layout.totalCount * stride, isRoot: rank == root), odometer)
  }

  /// Starts a copy of the root's numbers over those of every other rank. Every rank brings as many. Throws
  /// when they are more than MPI counts with 32 bits.
  ///
  /// The corresponding MPI function is `MPI_Ibcast`.
  public func startBroadcast<Element: MPIDatatype>(
    _ buffer: UnsafeMutableBufferPointer<Element>, from root: Int
  ) throws(MPIError) -> PendingOperation {
    guard buffer.count <= elementLimit else { throw .tooLong("MPI_Ibcast", buffer.count) }
    var request = cmpi_request()
    try check(
      "MPI_Ibcast",
      cmpi_ibcast(
        buffer.baseAddress, Int32(buffer.count), Element.handle, cNumber(root), handle, &request))
    return PendingOperation(
      request, "MPI_Ibcast",
      .broadcast(buffer.count * MemoryLayout<Element>.stride, isRoot: rank == root, size: size), odometer)
  }
}
