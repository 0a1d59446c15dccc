internal import CMPI

/// A group of ranks that communicate with each other.
///
/// Communicators are lent by `withMPI` and `withSplit`, never made or freed by hand: freeing one is an
/// operation in which all its ranks take part. Every rank calls the collective operations in the same
/// order. Errors of MPI are thrown (`MPI_ERRORS_RETURN`), not fatal; an error on one rank leaves the
/// others waiting until it reaches `withMPI`, which ends the job.
///
/// Debug builds check before each collective operation that all ranks agree on its root and count.
public struct Communicator: ~Copyable {
  let handle: MPI_Comm
  let odometer: Odometer
  /// The number of this process in the group, from 0.
  public let rank: Int
  /// The number of processes in the group.
  public let size: Int

  /// Takes a handle over: errors return from now on.
  init(_ handle: MPI_Comm, odometer: Odometer) throws(MPIError) {
    self.handle = handle
    self.odometer = odometer
    try check("MPI_Comm_set_errhandler", cmpi_errors_return(handle))
    var rank: Int32 = 0
    var size: Int32 = 0
    try check("MPI_Comm_rank", MPI_Comm_rank(handle, &rank))
    try check("MPI_Comm_size", MPI_Comm_size(handle, &size))
    self.rank = Int(rank)
    self.size = Int(size)
  }

  /// The bytes that this rank has exchanged through this communicator and those of the same `withMPI`,
  /// since its start. The difference of two readings is what was moved between them.
  public var transferred: Transfer { odometer.total }

  /// What `body` returns, and the bytes that this rank exchanged meanwhile.
  public func counting<Result, Failure: Error>(
    _ body: () throws(Failure) -> Result
  ) throws(Failure) -> (result: Result, transfer: Transfer) {
    let before = transferred
    let result = try body()
    return (result, transferred - before)
  }

  /// Waits until every rank has come here.
  ///
  /// The corresponding MPI function is `MPI_Barrier`.
  public func barrier() throws(MPIError) {
    try check("MPI_Barrier", MPI_Barrier(handle))
  }
}

extension Communicator {
  /// Adds a finished operation to the running total.
  func count(_ transfer: Transfer) { odometer.total += transfer }

  /// In debug builds, throws on every rank alike when they differ in `count` or `root`, which MPI would
  /// answer with garbage or by waiting for ever.
  @inline(__always)
  func requireAgreement(_ function: String, count: Int, root: Int = 0) throws(MPIError) {
    #if DEBUG
      let (counts, roots) = try ranges(count, root)
      guard counts.lowerBound == counts.upperBound else {
        throw .refused(function, cmpi_err_count(), "the ranks differ in their counts: \(counts) elements")
      }
      guard roots.lowerBound == roots.upperBound else {
        throw .refused(function, cmpi_err_root(), "the ranks differ in the root: \(roots)")
      }
    #endif
  }

  /// The least and the greatest over the ranks of two numbers; not counted as traffic.
  private func ranges(_ a: Int, _ b: Int) throws(MPIError) -> (ClosedRange<Int>, ClosedRange<Int>) {
    var extremes: (Int64, Int64, Int64, Int64) = (Int64(a), -Int64(a), Int64(b), -Int64(b))
    try check(
      "MPI_Allreduce",
      MPI_Allreduce(cmpi_in_place(), &extremes, 4, Int64.handle, Reduction.maximum.handle, handle))
    return (Int(-extremes.1)...Int(extremes.0), Int(-extremes.3)...Int(extremes.2))
  }
}
