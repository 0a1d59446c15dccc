internal import Foundation

/// Puts the file at `path` in place whole or not at all: a temporary sibling is written, synced and renamed.
///
/// The pieces follow each other in the file. Where writing fails, an older file stays as it was and no sibling
/// is left.
public func replaceFile(at path: String, with pieces: [[UInt8]]) throws(FileError) {
  let sibling = "\(path).\(UUID().uuidString).partial"
  do throws(FileError) {
    try write(
      pieces, to: sibling, O_EXCL, isSynced: true, naming: path, failingToOpen: .createSibling)
    guard rename(sibling, path) == 0 else { throw .last(path, .rename) }
  } catch {
    unlink(sibling)
    throw error
  }
  syncFolder(of: path)
}

/// Puts a file of UTF-8 text in place whole or not at all.
public func replaceFile(at path: String, with text: String) throws(FileError) {
  try replaceFile(at: path, with: [Array(text.utf8)])
}

/// Appends UTF-8 text to the file at `path`, which is made if it is not there. It is not synced.
public func extendFile(at path: String, with text: String) throws(FileError) {
  try write([Array(text.utf8)], to: path, O_APPEND, isSynced: false, naming: path, failingToOpen: .open)
}

/// Makes the folder at `path` with those around it; one that is there is left as it is.
public func makeFolder(at path: String) throws(FileError) {
  do {
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  } catch {
    throw FileError(path: path, step: .makeFolder, reason: error.localizedDescription)
  }
}

/// Writes to `target`; errors name the file `path` that the caller asked for.
private func write(
  _ pieces: [[UInt8]], to target: String, _ flag: Int32, isSynced: Bool, naming path: String,
  failingToOpen step: FileError.Step
) throws(FileError) {
  let descriptor = open(target, O_WRONLY | O_CREAT | O_CLOEXEC | flag, 0o666)
  guard descriptor >= 0 else { throw .last(path, step) }
  do throws(FileError) {
    for piece in pieces { try write(piece, to: descriptor, naming: path) }
    guard !isSynced || fsync(descriptor) == 0 else { throw .last(path, .sync) }
  } catch {
    close(descriptor)
    throw error
  }
  guard close(descriptor) == 0 else { throw .last(path, .close) }
}

private func write(_ bytes: [UInt8], to descriptor: Int32, naming path: String) throws(FileError) {
  var rest = bytes[...]
  while !rest.isEmpty {
    let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress!, $0.count) }
    if count < 0 && errno == EINTR { continue }
    guard count > 0 else { throw .last(path, .write) }
    rest = rest.dropFirst(count)
  }
}

/// Makes the rename itself durable; some file systems cannot, and the file is whole either way.
private func syncFolder(of path: String) {
  let folder = (path as NSString).deletingLastPathComponent
  let descriptor = open(folder.isEmpty ? "." : folder, O_RDONLY | O_CLOEXEC)
  guard descriptor >= 0 else { return }
  fsync(descriptor)
  close(descriptor)
}

extension FileError {
  /// The error of the last system call.
  fileprivate static func last(_ path: String, _ step: Step) -> FileError {
    FileError(path: path, step: step, reason: String(cString: strerror(errno)))
  }
}
