internal import Foundation

/// Puts a new folder in place whole or not at all; there must be nothing at `path`.
///
/// `body` fills a temporary sibling, whose path it is given, with files that it syncs; then the sibling is
/// renamed. Where it throws, nothing is left.
public func makeWholeFolder(at path: String, _ body: (String) throws -> Void) throws {
  let sibling = partialSibling(of: path)
  try makeFolder(at: sibling)
  do {
    try body(sibling)
    syncFolder(sibling)
    guard rename(sibling, path) == 0 else { throw FileError.last(path, .rename) }
  } catch {
    try? FileManager.default.removeItem(atPath: sibling)
    throw error
  }
  syncFolder(of: path)
}

/// Waits until the file at `path` is on the disk; returns its length in bytes, 0 for a file that is not there.
public func syncedLength(ofFileAt path: String) throws(FileError) -> Int {
  let descriptor = open(path, O_RDONLY | O_CLOEXEC)
  guard descriptor >= 0 else {
    if errno == ENOENT { return 0 }
    throw .last(path, .open)
  }
  defer { close(descriptor) }
  guard fsync(descriptor) == 0 else { throw .last(path, .sync) }
  return Int(lseek(descriptor, 0, SEEK_END))
}

/// Takes all that follows the first `byteCount` bytes from the end of the file at `path`.
public func cutFile(at path: String, to byteCount: Int) throws(FileError) {
  guard truncate(path, off_t(byteCount)) == 0 else { throw .last(path, .cut) }
}
