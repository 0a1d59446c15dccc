import Foundation
import LaunchSupport
import TestSupport
import Testing

extension LaunchTests {
  @Suite(.serialized) struct DyingRankTests {
    /// State and parent of a process; nil when it is gone.
    private func status(of pid: Int32) -> (state: Substring, parent: Substring)? {
      guard let stat = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8) else { return nil }
      // The fields after the name, which stands in parentheses: state, parent, …
      let fields = stat[stat.lastIndex(of: ")")!...].split(separator: " ")
      return (fields[1], fields[2])
    }

    /// Whether a process is there and not only waiting to be reaped.
    private func isAlive(_ pid: Int32) -> Bool { status(of: pid).map { $0.state != "Z" } ?? false }

    private func children(of parent: Int32) -> [Int32] {
      let entries = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
      return entries.compactMap { Int32($0) }.filter { status(of: $0)?.parent == "\(parent)" && isAlive($0) }
    }

    /// Waits until `condition` holds; whether it came to hold within `seconds`.
    private func wait(upTo seconds: Double, until condition: () -> Bool) -> Bool {
      let deadline = Date.now.addingTimeInterval(seconds)
      while !condition(), Date.now < deadline { Thread.sleep(forTimeInterval: 0.05) }
      return condition()
    }

    @Test func killingARankEndsTheJobAndLeavesNoProcess() throws {
      let world = try TinyWorld()
      let job = try Job(
        [TinyWorld.program, "simulate", "tiny.yaml", "--output", "run", "--set", "training.rounds=100000"],
        ranks: 3, folder: world.folder)
      let rounds = world.folder.path + "/run/rounds.jsonl"
      #expect(wait(upTo: 60) { FileManager.default.fileExists(atPath: rounds) })
      let ranks = children(of: job.processIdentifier)
      #expect(ranks.count == 3)
      kill(try #require(ranks.max()), SIGKILL)
      let outcome = job.outcome()
      // 110 is mpirun's status for a job that outlives its timeout.
      #expect(outcome.status != 0 && outcome.status != 110)
      #expect(wait(upTo: 5) { !ranks.contains(where: isAlive) }, "a rank is left")
      #expect(try !world.text("run/rounds.jsonl").isEmpty)
    }
  }
}
