internal import Files
internal import Foundation

/// Keeps other jobs out of a run's folder for as long as it lives, by a lock on rounds.jsonl, the one file that is
/// neither replaced nor removed. The system drops it with the process, however that ends.
///
/// On a file system without locks there is nothing to hold, and other jobs are not kept out.
public final class RunLock: Sendable {
  private let descriptor: Int32

  /// Takes the lock of the file at `path`, which is made if it is not there. Nil if another job holds it.
  init?(ofFileAt path: String) throws(TelemetryError) {
    descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw .system(path, "opening for writing") }
    if flock(descriptor, LOCK_EX | LOCK_NB) != 0, errno == EWOULDBLOCK { return nil }
  }

  deinit { if descriptor >= 0 { close(descriptor) } }
}

extension RunDirectory {
  /// Keeps other jobs out.
  ///
  /// - Throws: if another job works on the run.
  public func lock() throws(TelemetryError) -> RunLock {
    guard let lock = try RunLock(ofFileAt: path(of: File.rounds)) else {
      throw TelemetryError(
        path: path, problem: "expected a run that no job works on, found another job at work on it")
    }
    return lock
  }
}
