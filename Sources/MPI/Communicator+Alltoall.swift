internal import CMPI

extension Communicator {
  /// Sends each rank its part of `parts` (`sent.range(of: rank)`) and collects what the others send to this
  /// one, in the order of ranks, in `whole`, of which `received` says how much comes from each.
  ///
  /// An uncounted `MPI_Allreduce` of one number goes before, by which all ranks go the same way. The corresponding
  /// MPI function is `MPI_Alltoallv`; beyond what it can address on any rank, `MPI_Isend` and
  /// `MPI_Irecv`.
  public func alltoall<Element: MPIDatatype>(
    _ parts: UnsafeBufferPointer<Element>, _ sent: RankLayout,
    into whole: UnsafeMutableBufferPointer<Element>, _ received: RankLayout
  ) throws(MPIError) {
    precondition(
      sent.rankCount == size && received.rankCount == size && parts.count == sent.totalCount,
      "\(parts.count) elements for \(sent.totalCount), layouts of \(sent.rankCount) and \(received.rankCount)"
    )
    precondition(
      sent.range(of: rank).count == received.range(of: rank).count,
      "\(sent.range(of: rank).count) elements for this rank itself, \(received.range(of: rank).count) expected"
    )
    requireCapacity(whole, of: received.totalCount)
    if try fitEverywhere([sent, received]) {
      // All empty arrays lie at one address, and MPICH refuses one that is both sent from and received into.
      let source = parts.isEmpty ? nil : parts.baseAddress
      try check(
        "MPI_Alltoallv",
        MPI_Alltoallv(
          source, sent.cCounts, sent.cOffsets, Element.handle, whole.baseAddress,
          received.cCounts, received.cOffsets, Element.handle, handle))
    } else {
      try wait(for: startExchangeInParts(parts, sent, into: whole, received))
    }
    let stride = MemoryLayout<Element>.stride
    record(
      Transfer(
        sentByteCount: (sent.totalCount - sent.range(of: rank).count) * stride,
        receivedByteCount: (received.totalCount - received.range(of: rank).count) * stride))
  }

  /// Whether every rank's layouts can be told to MPI: all ranks have to go the same way, and each knows its own.
  private func fitEverywhere(_ layouts: [RankLayout]) throws(MPIError) -> Bool {
    var refusals: Int32 = layouts.allSatisfy { $0.fits(elementLimit) } ? 0 : 1
    try check(
      "MPI_Allreduce",
      MPI_Allreduce(cmpi_in_place(), &refusals, 1, Int32.handle, Reduction.maximum.handle, handle))
    return refusals == 0
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
