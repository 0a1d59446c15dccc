extension Array where Element: MPIDatatype {
  /// An array to receive into. MPI's numbers are plain bits, for which all zeros is a value; pages that
  /// are written once before a large transfer make it several times faster.
  init(zeroCount count: Int) {
    self.init(unsafeUninitializedCapacity: count) { buffer, initialized in
      UnsafeMutableRawBufferPointer(buffer).initializeMemory(as: UInt8.self, repeating: 0)
      initialized = count
    }
  }

  /// Lends the elements to write, with the errors of MPI.
  mutating func withMutableMPIBuffer<Result>(
    _ body: (UnsafeMutableBufferPointer<Element>) throws(MPIError) -> Result
  ) throws(MPIError) -> Result {
    try withUnsafeMutableBufferPointer { buffer throws(MPIError) in try body(buffer) }
  }

  /// Lends the elements to read, with the errors of MPI.
  func withMPIBuffer<Result>(
    _ body: (UnsafeBufferPointer<Element>) throws(MPIError) -> Result
  ) throws(MPIError) -> Result {
    try withUnsafeBufferPointer { buffer throws(MPIError) in try body(buffer) }
  }
}
