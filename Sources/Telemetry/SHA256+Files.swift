internal import Foundation

extension SHA256 {
  /// The hash of a file's contents, in hexadecimal digits; the file is read piece by piece.
  public static func hexDigest(ofFileAt path: String) throws(TelemetryError) -> String {
    try withDescriptor(ofFileAt: path) { descriptor throws(TelemetryError) in
      var hash = SHA256()
      try hash.update(descriptor, path, upTo: .max)
      return hash.hexDigest()
    }
  }

  /// Opens a file for reading as long as `body` runs.
  static func withDescriptor<Result>(
    ofFileAt path: String, _ body: (Int32) throws(TelemetryError) -> Result
  ) throws(TelemetryError) -> Result {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .system(path, "opening for reading") }
    defer { close(descriptor) }
    return try body(descriptor)
  }

  /// Takes in the next bytes of a file, at most `count`, less where it ends.
  mutating func update(_ descriptor: Int32, _ path: String, upTo count: Int) throws(TelemetryError) {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 64)
    defer { buffer.deallocate() }
    var rest = count
    while rest > 0 {
      let taken = read(descriptor, buffer.baseAddress!, min(buffer.count, rest))
      if taken < 0 && errno == EINTR { continue }
      guard taken >= 0 else { throw .system(path, "reading") }
      if taken == 0 { return }
      update(UnsafeRawBufferPointer(rebasing: buffer[..<taken]))
      rest -= taken
    }
  }
}
