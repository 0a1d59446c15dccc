internal import Foundation

/// Puts the file at `path` in place whole or not at all: a temporary sibling is written, synced and renamed.
///
/// The file may be longer than the memory. Where writing or `body` fails, an older file stays as it was and no
/// sibling is left. `failure` makes a system's error the caller's own.
public func replaceFile<Failure: Error>(
  at path: String, failure: @escaping (FileError) -> Failure,
  _ body: (FileSink<Failure>) throws(Failure) -> Void
) throws(Failure) {
  let sibling = partialSibling(of: path)
  do throws(Failure) {
    try write(
      to: sibling, O_EXCL, isSynced: true, naming: path, failingToOpen: .createSibling, failure: failure, body
    )
    guard rename(sibling, path) == 0 else { throw failure(.last(path, .rename)) }
  } catch {
    unlink(sibling)
    throw error
  }
  syncFolder(of: path)
}

/// Puts the file at `path` in place whole or not at all; the pieces follow each other in it.
public func replaceFile(at path: String, with pieces: [[UInt8]]) throws(FileError) {
  try replaceFile(at: path, failure: { $0 }) { sink throws(FileError) in
    for piece in pieces { try sink.write(piece[...]) }
  }
}

/// Puts a file of UTF-8 text in place whole or not at all.
public func replaceFile(at path: String, with text: String) throws(FileError) {
  try replaceFile(at: path, with: [Array(text.utf8)])
}

/// Appends UTF-8 text to the file at `path`, which is made if it is not there. It is not synced.
public func extendFile(at path: String, with text: String) throws(FileError) {
  try write(
    to: path, O_APPEND, isSynced: false, naming: path, failingToOpen: .open, failure: { $0 }
  ) { sink throws(FileError) in try sink.write(Array(text.utf8)[...]) }
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
private func write<Failure: Error>(
  to target: String, _ flag: Int32, isSynced: Bool, naming path: String, failingToOpen step: FileError.Step,
  failure: @escaping (FileError) -> Failure, _ body: (FileSink<Failure>) throws(Failure) -> Void
) throws(Failure) {
  let descriptor = open(target, O_WRONLY | O_CREAT | O_CLOEXEC | flag, 0o666)
  guard descriptor >= 0 else { throw failure(.last(path, step)) }
  do throws(Failure) {
    try body(FileSink(descriptor: descriptor, path: path, failure: failure))
    guard !isSynced || fsync(descriptor) == 0 else { throw failure(.last(path, .sync)) }
  } catch {
    close(descriptor)
    throw error
  }
  guard close(descriptor) == 0 else { throw failure(.last(path, .close)) }
}

/// The name under which a file or folder is made before it is put in place.
func partialSibling(of path: String) -> String { "\(path).\(UUID().uuidString).partial" }

/// Makes the rename itself durable; some file systems cannot, and the file is whole either way.
func syncFolder(of path: String) {
  let folder = (path as NSString).deletingLastPathComponent
  syncFolder(folder.isEmpty ? "." : folder)
}

func syncFolder(_ folder: String) {
  let descriptor = open(folder, O_RDONLY | O_CLOEXEC)
  guard descriptor >= 0 else { return }
  fsync(descriptor)
  close(descriptor)
}

extension FileError {
  /// The error of the last system call.
  static func last(_ path: String, _ step: Step) -> FileError {
    FileError(path: path, step: step, reason: String(cString: strerror(errno)))
  }
}
