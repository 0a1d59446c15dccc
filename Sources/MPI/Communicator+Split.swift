internal import CMPI

extension Communicator {
  /// Lends `body` a communicator of the ranks that pass the same `color` (from 0), ordered by `key` and
  /// then by rank; a collective operation. It is freed when `body` returns, on all its ranks together;
  /// when `body` throws it is left to the end of the job, because the others may not come to free it.
  ///
  /// The corresponding MPI functions are `MPI_Comm_split` and `MPI_Comm_free`.
  public func withSplit<Result>(
    color: Int, key: Int = 0, _ body: (borrowing Communicator) throws -> Result
  ) throws -> Result {
    guard color >= 0, let color = Int32(exactly: color) else {
      throw MPIError.refused("MPI_Comm_split", cmpi_err_arg(), "a colour of \(color)")
    }
    let result = try lendSplit(color, key, body)
    return result!
  }

  /// Lends `body` a communicator of the ranks that pass the same `color`; a rank that passes `nil` takes
  /// part in the split, belongs to no group and returns `nil` without a call of `body`.
  public func withSplit<Result>(
    color: Int?, key: Int = 0, _ body: (borrowing Communicator) throws -> Result
  ) throws -> Result? {
    if let color { return try withSplit(color: color, key: key, body) as Result }
    return try lendSplit(cmpi_undefined(), key, body)
  }

  private func lendSplit<Result>(
    _ color: Int32, _ key: Int, _ body: (borrowing Communicator) throws -> Result
  ) throws -> Result? {
    var child = cmpi_comm()
    try check("MPI_Comm_split", cmpi_comm_split(handle, color, cNumber(key), &child))
    guard color != cmpi_undefined() else { return nil }
    let group = try Communicator(child.handle, odometer: odometer)
    let result = try body(group)
    try check("MPI_Comm_free", cmpi_comm_free(group.handle))
    return result
  }
}
