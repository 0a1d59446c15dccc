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
        results.map { "\($0["cohort"]!) \($0["mode"]!)" } == [
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
      #expect(random["operations"] as? Int == 2 * Self.operationsOfAStep)
      let shares = try #require(random["shares"] as? [String: Double])
      #expect(shares.keys.sorted() == ["adapter", "attention", "base", "elementwise", "optimizer"])
      #expect(shares.values.allSatisfy { $0 > 0 } && shares.values.reduce(0, +) <= 1)
      #expect(try #require(random["ratioToProducts"] as? Double) > 0)
      #expect(try #require(random["peakBytes"] as? Int) > 0)
      let ragged = try json(["step", "--model", "model", "--data", "data", "--batch", "3", "--steps", "2"])
      #expect(try #require(ragged["tokensPerSecond"] as? Double) > 0)
      #expect(try #require(ragged["lossFirst"] as? Double).isFinite)
    }

    /// Multiplications and additions of a step of 2 rows of 8 tokens: two blocks of width 32 and feed-forward 64,
    /// rank 8 on query and value, two labels. The last block computes keys and values of all
    /// tokens, everything else of the rows' first ones; the first block passes no gradient to its input.
    private static var operationsOfAStep: Int {
      let (rows, length, width, wide, rank, labels) = (2, 8, 32, 64, 8, 2)
      let tokens = rows * length
      func block(queried: Int) -> (projections: Int, rest: Int, attention: Int) {
        (
          2 * tokens * width * width, queried * width * (2 * width + 2 * wide),
          rows * width * queried / rows * length
        )
      }
      let (first, last) = (block(queried: tokens), block(queried: rows))
      let adapters = rank * width * (2 * tokens + tokens + rows)
      let head = rows * width * (width + labels)
      let forward =
        first.projections + first.rest + last.projections + last.rest + 2 * first.attention + 2
        * last.attention
        + 2 * adapters + head
      let backward =
        last.projections + last.rest + 4 * last.attention + 3 * first.attention + tokens * width
        * (width + 2 * wide)
        + rank * width * (4 * (tokens + rows) + 3 * 2 * tokens) + head + rows * width * labels
      return 2 * (forward + backward)
    }

    @Test func theWayFromClientToClientIsMeasured() throws {
      let result = try json(["clients", "tiny.yaml", "--clients", "5", "--set", "training.steps=3"])
      #expect(result["clients"] as? Int == 5 && result["steps"] as? Int == 15)
      #expect(try #require(result["microsecondsPerClient"] as? Double) > 0)
      #expect(try #require(result["stepSeconds"] as? Double) > 0)
      let refused = try world.florana(
        ["benchmark", "clients", "tiny.yaml", "--clients", "100000"], ranks: nil)
      #expect(refused.status == 2 && refused.standardError.contains("clients.count"))
    }
  }
}
