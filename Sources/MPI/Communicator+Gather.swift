internal import CMPI

extension Communicator {
  /// Collects the same number of elements from every rank, in the order of ranks, in `whole` on the root.
  ///
  /// `whole` has `size × part.count` elements on the root and is ignored elsewhere (`nil`).
  /// The corresponding MPI function is `MPI_Gather`.
  public func gather<Element: MPIDatatype>(
    _ part: UnsafeBufferPointer<Element>, into whole: UnsafeMutableBufferPointer<Element>?, to root: Int
  ) throws(MPIError) {
    if rank == root { requireCapacity(whole, of: size * part.count) }
    try requireAgreement("MPI_Gather", count: part.count, root: root)
    try withExtent(of: part.count, Element.self) { count, type throws(MPIError) in
      try check(
        "MPI_Gather",
        MPI_Gather(
          part.baseAddress, count, type, whole?.baseAddress, count, type, cNumber(root), handle))
    }
    let byteCount = part.count * MemoryLayout<Element>.stride
    record(.gather(byteCount, of: size * byteCount, isRoot: rank == root))
  }

  /// Collects `layout`'s number of elements from every rank, in the order of ranks, in `whole` on the
  /// root. Every rank brings the same layout; `whole` is ignored off the root (`nil`).
  ///
  /// The corresponding MPI function is `MPI_Gatherv`.
  public func gather<Element: MPIDatatype>(
    _ part: UnsafeBufferPointer<Element>, layout: RankLayout,
    into whole: UnsafeMutableBufferPointer<Element>?, to root: Int
  ) throws(MPIError) {
    layout.require(rank: rank, of: size, count: part.count)
    if rank == root { requireCapacity(whole, of: layout.totalCount) }
    try requireAgreement("MPI_Gatherv", count: layout.totalCount, root: root)
    if layout.fits(elementLimit) {
      try check(
        "MPI_Gatherv",
        MPI_Gatherv(
          part.baseAddress, layout.cCounts[rank], Element.handle, whole?.baseAddress, layout.cCounts,
          layout.cOffsets, Element.handle, cNumber(root), handle))
    } else {
      try wait(for: startGatherInParts(part, layout, into: whole, to: root))
    }
    let stride = MemoryLayout<Element>.stride
    record(.gather(part.count * stride, of: layout.totalCount * stride, isRoot: rank == root))
  }

  /// All ranks' arrays, of the same length, one after the other; `nil` off the root.
  public func gather<Element: MPIDatatype>(
    _ array: [Element], to root: Int
  ) throws(MPIError) -> [Element]? {
    try receiving(size * array.count, at: root) { whole throws(MPIError) in
      try array.withMPIBuffer { part throws(MPIError) in try gather(part, into: whole, to: root) }
    }
  }

  /// Each rank's number, in the order of ranks; `nil` off the root.
  public func gather<Element: MPIDatatype>(
    _ value: Element, to root: Int
  ) throws(MPIError) -> [Element]? {
    try gather([value], to: root)
  }

  /// All ranks' arrays, of the lengths in `layout`, one after the other; `nil` off the root.
  public func gather<Element: MPIDatatype>(
    _ array: [Element], layout: RankLayout, to root: Int
  ) throws(MPIError) -> [Element]? {
    try receiving(layout.totalCount, at: root) { whole throws(MPIError) in
      try array.withMPIBuffer { part throws(MPIError) in
        try gather(part, layout: layout, into: whole, to: root)
      }
    }
  }

  /// Each rank's array, of whatever length; `nil` off the root. The lengths go to every rank first, 8
  /// bytes each.
  public func gatherArrays<Element: MPIDatatype>(
    _ array: [Element], to root: Int
  ) throws(MPIError) -> [[Element]]? {
    let layout = try self.layout(count: array.count)
    return try gather(array, layout: layout, to: root).map(layout.split)
  }

  /// Each rank's text; `nil` off the root.
  public func gatherStrings(_ text: String, to root: Int) throws(MPIError) -> [String]? {
    try gatherArrays(Array(text.utf8), to: root)?.map { String(decoding: $0, as: UTF8.self) }
  }
}

extension Communicator {
  /// Collects the same number of elements from every rank, in the order of ranks, on every rank.
  /// `whole` has `size × part.count` elements.
  ///
  /// The corresponding MPI function is `MPI_Allgather`.
  public func allgather<Element: MPIDatatype>(
    _ part: UnsafeBufferPointer<Element>, into whole: UnsafeMutableBufferPointer<Element>
  ) throws(MPIError) {
    requireCapacity(whole, of: size * part.count)
    try requireAgreement("MPI_Allgather", count: part.count)
    try withExtent(of: part.count, Element.self) { count, type throws(MPIError) in
      try check(
        "MPI_Allgather",
        MPI_Allgather(part.baseAddress, count, type, whole.baseAddress, count, type, handle))
    }
    let byteCount = part.count * MemoryLayout<Element>.stride
    record(.allgather(byteCount, of: size * byteCount, size: size))
  }

  /// Collects `layout`'s number of elements from every rank, in the order of ranks, on every rank.
  ///
  /// The corresponding MPI function is `MPI_Allgatherv`.
  public func allgather<Element: MPIDatatype>(
    _ part: UnsafeBufferPointer<Element>, layout: RankLayout,
    into whole: UnsafeMutableBufferPointer<Element>
  ) throws(MPIError) {
    layout.require(rank: rank, of: size, count: part.count)
    requireCapacity(whole, of: layout.totalCount)
    try requireAgreement("MPI_Allgatherv", count: layout.totalCount)
    if layout.fits(elementLimit) {
      try check(
        "MPI_Allgatherv",
        MPI_Allgatherv(
          part.baseAddress, layout.cCounts[rank], Element.handle, whole.baseAddress, layout.cCounts,
          layout.cOffsets, Element.handle, handle))
    } else {
      try allgatherThroughRoot(part, layout, into: whole)
    }
    let stride = MemoryLayout<Element>.stride
    record(.allgather(part.count * stride, of: layout.totalCount * stride, size: size))
  }

  /// For parts beyond what `MPI_Allgatherv` can address: to rank 0 and back.
  private func allgatherThroughRoot<Element: MPIDatatype>(
    _ part: UnsafeBufferPointer<Element>, _ layout: RankLayout,
    into whole: UnsafeMutableBufferPointer<Element>
  ) throws(MPIError) {
    try wait(for: startGatherInParts(part, layout, into: whole, to: 0))
    try withExtent(of: whole.count, Element.self) { count, type throws(MPIError) in
      try check("MPI_Bcast", MPI_Bcast(whole.baseAddress, count, type, 0, handle))
    }
  }

  /// All ranks' arrays, of the same length, one after the other, on every rank.
  public func allgather<Element: MPIDatatype>(_ array: [Element]) throws(MPIError) -> [Element] {
    var whole = [Element](zeroCount: size * array.count)
    try whole.withMutableMPIBuffer { whole throws(MPIError) in
      try array.withMPIBuffer { part throws(MPIError) in try allgather(part, into: whole) }
    }
    return whole
  }

  /// Each rank's number, in the order of ranks, on every rank.
  public func allgather<Element: MPIDatatype>(_ value: Element) throws(MPIError) -> [Element] {
    try allgather([value])
  }

  /// All ranks' arrays, of the lengths in `layout`, one after the other, on every rank.
  public func allgather<Element: MPIDatatype>(
    _ array: [Element], layout: RankLayout
  ) throws(MPIError) -> [Element] {
    var whole = [Element](zeroCount: layout.totalCount)
    try whole.withMutableMPIBuffer { whole throws(MPIError) in
      try array.withMPIBuffer { part throws(MPIError) in
        try allgather(part, layout: layout, into: whole)
      }
    }
    return whole
  }

  /// Each rank's array, of whatever length, on every rank. The lengths go ahead, 8 bytes each.
  public func allgatherArrays<Element: MPIDatatype>(_ array: [Element]) throws(MPIError) -> [[Element]] {
    let layout = try self.layout(count: array.count)
    return layout.split(try allgather(array, layout: layout))
  }

  /// Each rank's text, on every rank.
  public func allgatherStrings(_ text: String) throws(MPIError) -> [String] {
    try allgatherArrays(Array(text.utf8)).map { String(decoding: $0, as: UTF8.self) }
  }

  /// The layout in which this rank has `count` elements and the others have what they pass: collective.
  public func layout(count: Int) throws(MPIError) -> RankLayout {
    RankLayout(counts: try allgather(Int64(count)).map(Int.init))
  }
}

extension Communicator {
  /// An array of `count` elements on the root that `body` fills; `nil` elsewhere.
  func receiving<Element: MPIDatatype>(
    _ count: Int, at root: Int,
    _ body: (UnsafeMutableBufferPointer<Element>?) throws(MPIError) -> Void
  ) throws(MPIError) -> [Element]? {
    guard rank == root else {
      try body(nil)
      return nil
    }
    var whole = [Element](zeroCount: count)
    try whole.withMutableMPIBuffer { whole throws(MPIError) in try body(whole) }
    return whole
  }

  /// Traps unless `buffer` has exactly `count` elements.
  func requireCapacity<Element>(_ buffer: UnsafeMutableBufferPointer<Element>?, of count: Int) {
    precondition(
      buffer?.count == count,
      "a receive buffer of \(buffer?.count ?? 0) elements for \(count), on rank \(rank)")
  }
}
