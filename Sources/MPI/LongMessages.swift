internal import CMPI

// MPI 3 counts elements with 32 bits, and libraries differ in what they do beyond: some refuse, some send the
// remainder modulo 2³² without a word. A longer message is told as one element of a derived type, whose own
// extent is an address; where that cannot be (reductions, uneven parts) it goes in pieces or from rank to rank.

extension Communicator {
  var elementLimit: Int { odometer.elementLimit }

  /// Lends a count and a datatype that stand for `count` elements.
  func withExtent<Element: MPIDatatype, Result>(
    of count: Int, _ type: Element.Type, _ body: (Int32, MPI_Datatype) throws(MPIError) -> Result
  ) throws(MPIError) -> Result {
    guard count > elementLimit else { return try body(Int32(count), Element.handle) }
    var long = cmpi_datatype()
    try check(
      "MPI_Type_create_struct",
      cmpi_type_long(count, Element.handle, MemoryLayout<Element>.stride, &long))
    let result = try body(1, long.handle)
    try check("MPI_Type_free", cmpi_type_free(&long))
    return result
  }

  /// The ranges of at most `elementLimit` elements that make up `count`; one where there are none.
  func pieces(of count: Int) -> [Range<Int>] {
    guard count > elementLimit else { return [0..<count] }
    return stride(from: 0, to: count, by: elementLimit).map { $0..<min($0 + elementLimit, count) }
  }

  /// Starts a gather in which each rank sends its part to the root, which puts them in the order of ranks: for
  /// parts that lie beyond what `MPI_Gatherv` can address.
  func startGatherInParts<Element: MPIDatatype>(
    _ part: UnsafeBufferPointer<Element>, _ layout: RankLayout,
    into whole: UnsafeMutableBufferPointer<Element>?, to root: Int
  ) throws(MPIError) -> [cmpi_request] {
    guard rank == root, let whole else { return [try startSend(part, to: root)] }
    return try startReceives(layout, into: whole, own: part)
  }

  /// Starts an exchange of all with all in which each rank sends its parts to the others one by one: for parts
  /// that lie beyond what `MPI_Alltoallv` can address.
  func startExchangeInParts<Element: MPIDatatype>(
    _ parts: UnsafeBufferPointer<Element>, _ sent: RankLayout,
    into whole: UnsafeMutableBufferPointer<Element>, _ received: RankLayout
  ) throws(MPIError) -> [cmpi_request] {
    func part(_ rank: Int) -> UnsafeBufferPointer<Element> {
      UnsafeBufferPointer(rebasing: parts[sent.range(of: rank)])
    }
    var requests = try startReceives(received, into: whole, own: part(rank))
    for target in 0..<size where target != rank { requests.append(try startSend(part(target), to: target)) }
    return requests
  }

  /// Waits for what such a start has begun.
  func wait(for requests: [cmpi_request]) throws(MPIError) {
    var requests = requests
    try check("MPI_Waitall", cmpi_wait_all(Int32(requests.count), &requests))
  }

  /// A receive from every other rank, each into its place; this rank's own part is copied.
  private func startReceives<Element: MPIDatatype>(
    _ layout: RankLayout, into whole: UnsafeMutableBufferPointer<Element>, own: UnsafeBufferPointer<Element>
  ) throws(MPIError) -> [cmpi_request] {
    if let start = own.baseAddress {
      whole.baseAddress.map { $0 + layout.range(of: rank).lowerBound }?.update(from: start, count: own.count)
    }
    var requests: [cmpi_request] = []
    for source in 0..<size where source != rank {
      let place = UnsafeMutableBufferPointer(rebasing: whole[layout.range(of: source)])
      requests.append(try startReceive(into: place, from: source))
    }
    return requests
  }

  private func startSend<Element: MPIDatatype>(
    _ part: UnsafeBufferPointer<Element>, to target: Int
  ) throws(MPIError) -> cmpi_request {
    try withExtent(of: part.count, Element.self) { count, type throws(MPIError) in
      var request = cmpi_request()
      try check(
        "MPI_Isend",
        cmpi_isend(part.baseAddress, count, type, cNumber(target), reservedTag, handle, &request))
      return request
    }
  }

  private func startReceive<Element: MPIDatatype>(
    into place: UnsafeMutableBufferPointer<Element>, from source: Int
  ) throws(MPIError) -> cmpi_request {
    try withExtent(of: place.count, Element.self) { count, type throws(MPIError) in
      var request = cmpi_request()
      try check(
        "MPI_Irecv",
        cmpi_irecv(place.baseAddress, count, type, cNumber(source), reservedTag, handle, &request))
      return request
    }
  }
}

/// The tag of messages that stand for a collective operation; the largest that every MPI has.
private let reservedTag: Int32 = 32767
