internal import Files
internal import Foundation

/// Keeps other jobs out of a run's folder for as long as it lives, by a lock on the folder itself. The system
/// drops it with the process, however that ends.
///
/// On a file system without locks there is nothing to hold, and other jobs are not kept out.
public final class RunLock: Sendable {
  private let descriptor: Int32

  /// Takes the lock of the folder at `path`. Nil if another job holds it.
  init?(ofFolderAt path: String) throws(TelemetryError) {
    descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .system(path, "opening the folder") }
    if flock(descriptor, LOCK_EX | LOCK_NB) != 0, errno == EWOULDBLOCK { return nil }
  }

  deinit { if descriptor >= 0 { close(descriptor) } }
}

extension RunDirectory {
  /// Keeps other jobs out.
  ///
  /// - Throws: if another job works on the run.
  public func lock() throws(TelemetryError) -> RunLock {
    guard let lock = try RunLock(ofFolderAt: path) else {
      throw TelemetryError(
        path: path, problem: "expected a run that no job works on, found another job at work on it")
    }
    return lock
  }
}
