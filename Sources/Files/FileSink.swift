internal import Foundation

/// Takes the bytes of a file that is being written, one piece after another.
///
/// `Failure` is the caller's own kind of error, which a system's error becomes.
public struct FileSink<Failure: Error> {
  let descriptor: Int32
  /// The file that the caller asked for.
  let path: String
  let failure: (FileError) -> Failure

  /// Writes the next bytes.
  public func write(_ bytes: UnsafeRawBufferPointer) throws(Failure) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = Foundation.write(
        descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress!, rest.count)
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { throw failure(.last(path, .write)) }
      rest = rest.dropFirst(count)
    }
  }

  /// Writes the elements' bytes.
  public func write<Element: BitwiseCopyable>(_ elements: ArraySlice<Element>) throws(Failure) {
    try elements.withUnsafeBufferPointer { buffer throws(Failure) in
      try write(UnsafeRawBufferPointer(buffer))
    }
  }
}
