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

  /// A gather in which each rank sends its part to the root, which takes them in the order of ranks: for
  /// parts that lie beyond what `MPI_Gatherv` can address.
  func gatherInTurn<Element: MPIDatatype>(
    _ part: UnsafeBufferPointer<Element>, _ layout: RankLayout,
    into whole: UnsafeMutableBufferPointer<Element>?, to root: Int
  ) throws(MPIError) {
    guard rank == root, let whole else { return try sendLong(part, to: root) }
    for source in 0..<size {
      let place = UnsafeMutableBufferPointer(rebasing: whole[layout.range(of: source)])
      guard source == rank else {
        try receiveLong(into: place, from: source)
        continue
      }
      if let start = part.baseAddress { place.baseAddress?.update(from: start, count: part.count) }
    }
  }

  private func sendLong<Element: MPIDatatype>(
    _ part: UnsafeBufferPointer<Element>, to root: Int
  ) throws(MPIError) {
    try withExtent(of: part.count, Element.self) { count, type throws(MPIError) in
      try check(
        "MPI_Send", MPI_Send(part.baseAddress, count, type, cNumber(root), reservedTag, handle))
    }
  }

  private func receiveLong<Element: MPIDatatype>(
    into place: UnsafeMutableBufferPointer<Element>, from source: Int
  ) throws(MPIError) {
    try withExtent(of: place.count, Element.self) { count, type throws(MPIError) in
      var status = MPI_Status()
      try check(
        "MPI_Recv",
        MPI_Recv(place.baseAddress, count, type, cNumber(source), reservedTag, handle, &status))
    }
  }
}

/// The tag of messages that stand for a collective operation; the largest that every MPI has.
private let reservedTag: Int32 = 32767
