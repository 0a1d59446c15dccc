internal import Foundation
internal import MPI

/// How a run that stops before its end goes on, as a line that can be typed.
struct ResumeHint: Sendable {
  let command: String

  /// `rankCount` is that of this job; another number does as well. `MPIRUN` names a launcher other than mpirun.
  init(folder: String, rankCount: Int) {
    let mpirun = ProcessInfo.processInfo.environment["MPIRUN"] ?? "mpirun"
    let launcher = Launch.isUnderLauncher ? Self.quoted(mpirun) + " -np \(rankCount) " : ""
    let program = CommandLine.arguments.first ?? "florana"
    command = launcher + Self.quoted(program) + " simulate --resume --output " + Self.quoted(folder)
  }

  /// The text as one word of a shell.
  private static func quoted(_ text: String) -> String {
    let isPlain = text.unicodeScalars.allSatisfy {
      $0.properties.isAlphabetic || "0123456789._-/+=:,@%".unicodeScalars.contains($0)
    }
    return isPlain && !text.isEmpty ? text : "'" + text.replacing("'", with: "'\\''") + "'"
  }
}

/// An error that ended a run of which a checkpoint is there.
struct StoppedRun: JobError, CustomStringConvertible {
  let cause: any Error
  /// The last round that was saved.
  let savedRound: Int
  let hint: ResumeHint

  var exitStatus: Int32 { (cause as? any JobError)?.exitStatus ?? 1 }
  var isCollective: Bool { (cause as? any JobError)?.isCollective ?? false }
  var description: String { "\(cause); after round \(savedRound) go on with: \(hint.command)" }
}

/// What this process says when it is told to end, as schedulers do when the time is up, and mpirun when another
/// rank dies or on Ctrl-C.
enum StopNotice {
  /// Read by the signal's handler, which may neither allocate nor wait.
  nonisolated(unsafe) private static var line: UnsafeMutableBufferPointer<UInt8>?

  /// Says from now on how to go on.
  static func arm(savedRound: Int, _ hint: ResumeHint) {
    let text = "florana: told to end; after round \(savedRound) go on with: \(hint.command)\n"
    let next = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: text.utf8.count)
    _ = next.initialize(from: text.utf8)
    // The line before it stays allocated: a handler may be writing it.
    line = next
    signal(SIGTERM) { number in
      if let line = StopNotice.line { _ = write(STDERR_FILENO, line.baseAddress!, line.count) }
      signal(number, SIG_DFL)
      raise(number)
    }
    unblock()
  }

  /// A process inherits what the thread that started it had blocked, and might never hear of its end.
  private static func unblock() {
    var signals = sigset_t()
    sigemptyset(&signals)
    sigaddset(&signals, SIGTERM)
    pthread_sigmask(SIG_UNBLOCK, &signals, nil)
  }

  /// Says nothing any more: the run is over, or says itself how to go on.
  static func disarm() { line = nil }
}
