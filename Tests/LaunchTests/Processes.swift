import Foundation
import LaunchSupport
import TestSupport

/// Processes of this machine, as the tests that end them look at them.
enum Processes {
  /// State and parent of a process; nil when it is gone.
  private static func status(of pid: Int32) -> (state: Substring, parent: Substring)? {
    guard let stat = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8),
      let name = stat.lastIndex(of: ")")
    else { return nil }
    // The fields after the name, which stands in parentheses: state, parent, …
    let fields = stat[name...].split(separator: " ")
    return (fields[1], fields[2])
  }

  /// Whether a process is there and not only waiting to be reaped.
  static func isAlive(_ pid: Int32) -> Bool { status(of: pid).map { $0.state != "Z" } ?? false }

  /// All that are there and not only waiting to be reaped.
  static var alive: [Int32] {
    let entries = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
    return entries.compactMap { Int32($0) }.filter(isAlive)
  }

  static func children(of parent: Int32) -> [Int32] {
    alive.filter { status(of: $0)?.parent == "\(parent)" }
  }

  /// The processes of a job that run the program, which MPICH's mpirun starts through one of its own.
  static func ranks(of job: Job) -> [Int32] {
    descendants(of: job.processIdentifier).filter { executable(of: $0) == TinyWorld.program }
  }

  private static func executable(of pid: Int32) -> String? {
    try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(pid)/exe")
  }

  static func descendants(of parent: Int32) -> [Int32] {
    children(of: parent).flatMap { [$0] + descendants(of: $0) }
  }

  /// The network namespace that a process is in; nil when it is gone or another user's.
  static func network(of pid: Int32) -> String? {
    try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(pid)/ns/net")
  }

  /// Waits until `condition` holds; whether it came to hold within `seconds`.
  static func wait(upTo seconds: Double, until condition: () -> Bool) -> Bool {
    let deadline = Date.now.addingTimeInterval(seconds)
    while !condition(), Date.now < deadline { Thread.sleep(forTimeInterval: 0.05) }
    return condition()
  }
}
