import Foundation
import LaunchSupport
import TestSupport
import Testing

extension LaunchTests {
  @Suite(.serialized) struct BenchmarkTests {
    private let world: TinyWorld

    init() throws { world = try TinyWorld() }

    private func json(_ arguments: [String]) throws -> [String: Any] {
      let job = try world.florana(["benchmark"] + arguments + ["--json"], ranks: nil)
      #expect(job.status == 0, "\(job.standardError)")
      let object = try JSONSerialization.jsonObject(with: Data(job.standardOutput.utf8))
      return try #require(object as? [String: Any])
    }

    @Test(arguments: ["fedit", "florana", "florana-matrix"])
    func anEstimateIsMeasured(method: String) throws {
      let result = try json(
        ["estimate", "--clients", "5", "--dimensions", "48x40", "--adapter-rank", "4", "--method", method])
      let rho = try #require(result["rho"] as? Double)
      let seconds = try #require(result["seconds"] as? Double)
      #expect(rho > 0 && rho < 1 && seconds > 0)
      #expect(result["peakBytes"] != nil && result.keys.contains("productSeconds"))
      // The other rules do not multiply the Gram matrices.
      #expect((result["shareOfPeak"] != nil) == (method == "florana"))
    }

    private func lines(_ job: Job.Outcome) throws -> [[String: Any]] {
      try job.standardOutput.split(separator: "\n").map { line in
        try #require(JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
      }
    }

    @Test func everyServerModeIsMeasuredOnTheSameUpdates() throws {
      let arguments = ["benchmark", "servers", "tiny.yaml", "--clients", "3,6", "--exchanges", "2"]
      let job = try world.florana(arguments + ["--json"], ranks: 3)
      #expect(job.status == 0, "\(job.standardError)")
      let results = try lines(job)
      #expect(
        results.map { "\($0["clients"]!) \($0["mode"]!)" } == [
          "3 root", "3 pipelined", "3 sharded", "6 root", "6 pipelined", "6 sharded",
        ])
      // Rank 4 on two blocks and a head of 99 floats; a rank has a third of the clients.
      let (block, head) = (4 * (3 * 64 + 96), 99)
      #expect(results[3]["receivedBytes"] as? Int == 4 * 4 * (2 * block + head))
      #expect(results[4]["receivedBytes"] as? Int == 4 * 4 * (2 * block + head))
      // Three ranks share eight layers: the last serves three and the head, and gets the others' messages.
      let share = 4 * (2 * 64 + 96)
      #expect(results[5]["receivedBytes"] as? Int == 4 * (4 * (share + head) + 2 * block - share))
      for result in results {
        let seconds = try #require(result["seconds"] as? Double)
        let phases = try #require(result["phases"] as? [String: Double])
        #expect(phases.keys.sorted() == ["broadcast", "estimate", "gather", "wait"])
        #expect(seconds > 0 && phases["estimate"]! > 0 && phases["estimate"]! <= seconds)
      }
      let table = try world.florana(arguments, ranks: nil).standardOutput
      #expect(table.split(separator: "\n").count == 7 && table.contains("sharded"))
      let refused = try world.florana(arguments + ["--set", "data.partition.kind=nature"], ranks: 2)
      #expect(refused.status == 2 && refused.standardError.contains("natural"))
    }

    @Test func collectivesAreMeasuredAtTheMessagesOfARun() throws {
      let arguments = ["benchmark", "collectives", "tiny.yaml", "--sizes", "8,4KiB", "--iterations", "3"]
      let job = try world.florana(arguments + ["--json"], ranks: 3)
      #expect(job.status == 0, "\(job.standardError)")
      let lines = try lines(job)
      let sizes = lines.map { "\($0["operation"]!) \($0["bytes"]!)" }
      // Rank 4 on two blocks and a head of 99 floats; block placement gives 3 of 7 clients to a rank.
      let floats = 2 * 4 * (3 * 64 + 96) + 99
      #expect(
        sizes == [
          "gather 8", "gather 4096", "gather \(3 * 4 * floats)", "gatherv 8", "gatherv 4096",
          "gatherv \(3 * 4 * floats)", "broadcast 8", "broadcast 4096", "broadcast \(4 * floats)",
          "allgather 8", "allgather 4096", "allreduce 8", "allreduce 4096",
        ])
      #expect(lines.allSatisfy { ($0["medianSeconds"] as? Double).map { $0 > 0 } == true })
      let table = try world.florana(arguments, ranks: 2).standardOutput
      #expect(table.contains("2 ranks") && table.split(separator: "\n").count == 3 + 13)
      let refused = try world.florana(["benchmark", "collectives", "--sizes", "6"], ranks: nil)
      #expect(refused.status == 2 && refused.standardError.contains("multiples of 4 bytes"))
    }

    @Test func aStepIsMeasured() throws {
      let random = try json(["step", "--model", "model", "--batch", "2", "--length", "8", "--steps", "2"])
      #expect(random["tokens"] as? Int == 32)
      let ragged = try json(["step", "--model", "model", "--data", "data", "--batch", "3", "--steps", "2"])
      #expect(try #require(ragged["tokensPerSecond"] as? Double) > 0)
      #expect(try #require(ragged["lossFirst"] as? Double).isFinite)
    }
  }
}
