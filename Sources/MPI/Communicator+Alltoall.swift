internal import CMPI

extension Communicator {
  /// Sends each rank its part of `parts` (`sent.range(of: rank)`) and collects what the others send to this
  /// one, in the order of ranks, in `whole`, of which `received` says how much comes from each.
  ///
  /// Throws when the parts are more than MPI addresses with 32 bits. The corresponding MPI function is
  /// `MPI_Alltoallv`.
  public func alltoall<Element: MPIDatatype>(
    _ parts: UnsafeBufferPointer<Element>, _ sent: RankLayout,
    into whole: UnsafeMutableBufferPointer<Element>, _ received: RankLayout
  ) throws(MPIError) {
    precondition(
      sent.rankCount == size && received.rankCount == size && parts.count == sent.totalCount,
      "\(parts.count) elements for \(sent.totalCount), layouts of \(sent.rankCount) and \(received.rankCount)"
    )
    requireCapacity(whole, of: received.totalCount)
    for layout in [sent, received] where !layout.fits(elementLimit) {
      throw .tooLong("MPI_Alltoallv", layout.totalCount)
    }
    try check(
      "MPI_Alltoallv",
      MPI_Alltoallv(
        parts.baseAddress, sent.cCounts, sent.cOffsets, Element.handle, whole.baseAddress,
        received.cCounts, received.cOffsets, Element.handle, handle))
    let stride = MemoryLayout<Element>.stride
    record(
      Transfer(
        sentByteCount: (sent.totalCount - sent.range(of: rank).count) * stride,
        receivedByteCount: (received.totalCount - received.range(of: rank).count) * stride))
  }

  /// The parts of an array, one for each rank, against what the other ranks have for this one, in the order
  /// of ranks.
  public func alltoall<Element: MPIDatatype>(
    _ parts: [Element], _ sent: RankLayout, receiving received: RankLayout
  ) throws(MPIError) -> [Element] {
    var whole = [Element](zeroCount: received.totalCount)
    try whole.withMutableMPIBuffer { whole throws(MPIError) in
      try parts.withMPIBuffer { parts throws(MPIError) in
        try alltoall(parts, sent, into: whole, received)
      }
    }
    return whole
  }
}
