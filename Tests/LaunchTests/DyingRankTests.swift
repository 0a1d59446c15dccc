import Foundation
import LaunchSupport
import TestSupport
import Testing

extension LaunchTests {
  @Suite(.serialized) struct DyingRankTests {
    @Test func killingARankEndsTheJobAndLeavesNoProcess() throws {
      let world = try TinyWorld()
      let job = try Job(
        [TinyWorld.program, "simulate", "tiny.yaml", "--output", "run", "--set", "training.rounds=100000"],
        ranks: 3, folder: world.folder)
      let rounds = world.folder.path + "/run/rounds.jsonl"
      #expect(Processes.wait(upTo: 60) { FileManager.default.fileExists(atPath: rounds) })
      let ranks = Processes.ranks(of: job)
      #expect(ranks.count == 3)
      kill(try #require(ranks.max()), SIGKILL)
      let outcome = job.outcome()
      #expect(outcome.status != 0 && !outcome.hasTimedOut)
      #expect(Processes.wait(upTo: 5) { !ranks.contains(where: Processes.isAlive) }, "a rank is left")
      #expect(try !world.text("run/rounds.jsonl").isEmpty)
    }
  }
}
