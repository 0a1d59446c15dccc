internal import CMPI

/// The C functions themselves with nothing around them but the test of their code: what a benchmark holds the
/// communicator's own operations against. Counts must fit 32 bits, and nothing is counted.
public enum BareCollective {
  /// `MPI_Gather` of `part.count` elements from every rank into `whole` at the root.
  public static func gather(
    _ part: UnsafeBufferPointer<Float>, into whole: UnsafeMutableBufferPointer<Float>?, to root: Int,
    _ world: borrowing Communicator
  ) throws(MPIError) {
    try check(
      "MPI_Gather",
      MPI_Gather(
        part.baseAddress, Int32(part.count), Float.handle, whole?.baseAddress, Int32(part.count),
        Float.handle, Int32(root), world.handle))
  }

  /// `MPI_Gatherv` of what `layout` says.
  public static func gather(
    _ part: UnsafeBufferPointer<Float>, layout: RankLayout, into whole: UnsafeMutableBufferPointer<Float>?,
    to root: Int, _ world: borrowing Communicator
  ) throws(MPIError) {
    try check(
      "MPI_Gatherv",
      MPI_Gatherv(
        part.baseAddress, Int32(part.count), Float.handle, whole?.baseAddress, layout.cCounts,
        layout.cOffsets, Float.handle, Int32(root), world.handle))
  }

  /// `MPI_Bcast` of the buffer.
  public static func broadcast(
    _ buffer: UnsafeMutableBufferPointer<Float>, from root: Int, _ world: borrowing Communicator
  ) throws(MPIError) {
    try check(
      "MPI_Bcast",
      MPI_Bcast(buffer.baseAddress, Int32(buffer.count), Float.handle, Int32(root), world.handle))
  }

  /// `MPI_Allgather` of `part.count` elements from every rank.
  public static func allgather(
    _ part: UnsafeBufferPointer<Float>, into whole: UnsafeMutableBufferPointer<Float>,
    _ world: borrowing Communicator
  ) throws(MPIError) {
    try check(
      "MPI_Allgather",
      MPI_Allgather(
        part.baseAddress, Int32(part.count), Float.handle, whole.baseAddress, Int32(part.count),
        Float.handle, world.handle))
  }

  /// `MPI_Allreduce` of maxima in place.
  public static func allreduce(
    _ buffer: UnsafeMutableBufferPointer<Float>, _ world: borrowing Communicator
  ) throws(MPIError) {
    try check(
      "MPI_Allreduce",
      MPI_Allreduce(
        cmpi_in_place(), buffer.baseAddress, Int32(buffer.count), Float.handle, Reduction.maximum.handle,
        world.handle))
  }
}
