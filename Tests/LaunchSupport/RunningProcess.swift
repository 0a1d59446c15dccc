internal import Foundation

/// A process of this machine by its number, as the kernel shows it.
public struct RunningProcess: Hashable, Sendable {
  public let identifier: Int32

  public init(_ identifier: Int32) { self.identifier = identifier }

  /// Every process that is visible.
  public static var all: [RunningProcess] {
    let entries = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
    return entries.compactMap { Int32($0) }.map(RunningProcess.init)
  }

  /// State and parent; nil when the process is gone.
  private var status: (state: Substring, parent: Int32)? {
    guard let stat = try? String(contentsOfFile: "/proc/\(identifier)/stat", encoding: .utf8),
      let name = stat.lastIndex(of: ")")
    else { return nil }
    // The fields after the name, which stands in parentheses: state, parent, …
    let fields = stat[name...].split(separator: " ")
    return Int32(fields[2]).map { (fields[1], $0) }
  }

  /// Whether the process is there and not only waiting to be reaped.
  public var isAlive: Bool { status.map { $0.state != "Z" } ?? false }

  /// The living processes that this one started.
  public var children: [RunningProcess] {
    Self.all.filter { $0.status?.parent == identifier && $0.isAlive }
  }

  /// The living processes below this one.
  public var descendants: [RunningProcess] { children.flatMap { [$0] + $0.descendants } }

  /// A namespace that the process is in, `net` or `mnt` for example; nil when it is gone or another user's.
  public func namespace(_ kind: String) -> String? {
    try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(identifier)/ns/\(kind)")
  }
}

/// Waits until `condition` holds; whether it came to hold within `seconds`.
public func waiting(upTo seconds: Double, until condition: () -> Bool) -> Bool {
  let deadline = Date.now.addingTimeInterval(seconds)
  while !condition(), Date.now < deadline { Thread.sleep(forTimeInterval: 0.05) }
  return condition()
}
