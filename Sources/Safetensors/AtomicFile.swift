internal import Foundation

/// Puts the file at `path` in place whole or not at all: temporary sibling, sync, rename.
func replaceFile(at path: String, with pieces: [[UInt8]]) throws(SafetensorsError) {
  let temporary = "\(path).\(UUID().uuidString).partial"
  do throws(SafetensorsError) {
    try writeSynced(pieces, to: temporary, for: path)
    guard rename(temporary, path) == 0 else { throw failure(path, "rename") }
  } catch {
    unlink(temporary)
    throw error
  }
  syncFolder(of: path)
}

private func writeSynced(
  _ pieces: [[UInt8]], to temporary: String, for path: String
) throws(SafetensorsError) {
  let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
  guard descriptor >= 0 else { throw failure(path, "create a temporary file beside it") }
  for piece in pieces {
    var rest = piece[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress!, $0.count) }
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else {
        let error = failure(path, "write")
        close(descriptor)
        throw error
      }
      rest = rest.dropFirst(count)
    }
  }
  guard fsync(descriptor) == 0 else {
    let error = failure(path, "sync")
    close(descriptor)
    throw error
  }
  guard close(descriptor) == 0 else { throw failure(path, "close") }
}

/// Makes the rename itself durable; some file systems cannot, and the file is whole either way.
private func syncFolder(of path: String) {
  let folder = (path as NSString).deletingLastPathComponent
  let descriptor = open(folder.isEmpty ? "." : folder, O_RDONLY | O_CLOEXEC)
  guard descriptor >= 0 else { return }
  fsync(descriptor)
  close(descriptor)
}

private func failure(_ path: String, _ step: String) -> SafetensorsError {
  SafetensorsError(path, .cannotWrite(step: step, reason: String(cString: strerror(errno))))
}
