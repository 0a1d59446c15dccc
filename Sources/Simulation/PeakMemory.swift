internal import Foundation

/// Linux's high-water mark of a process's resident memory, from now on.
struct PeakMemory {
  private let before: Int

  init() {
    // 5 resets the mark; where the kernel refuses, only what exceeds the old mark is seen.
    try? Data("5".utf8).write(to: URL(fileURLWithPath: "/proc/self/clear_refs"))
    before = Self.bytes("VmRSS")
  }

  /// The mark itself.
  var totalBytes: Int { Self.bytes("VmHWM") }

  /// What the mark exceeds the memory that was resident before.
  var addedBytes: Int { max(0, totalBytes - before) }

  private static func bytes(_ key: String) -> Int {
    let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
    let line = status.split(separator: "\n").first { $0.hasPrefix(key + ":") }
    return (line?.split(whereSeparator: { $0 == " " || $0 == "\t" }).dropFirst().first)
      .flatMap { Int($0) }.map { $0 * 1024 } ?? 0
  }
}
