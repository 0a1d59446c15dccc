import Foundation
import LaunchSupport
import TestSupport
import Testing

extension LaunchTests {
  @Suite(.serialized) struct ScalingTests {
    private let world: TinyWorld

    init() throws { world = try TinyWorld() }

    private func rows(_ output: String) throws -> [[String: String]] {
      let lines = try world.text("\(output)/scaling.csv").split(separator: "\n").map {
        $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
      }
      return lines.dropFirst().map { Dictionary(uniqueKeysWithValues: zip(lines[0], $0)) }
    }

    @Test func strongRowsTakeTheSameStepsARound() throws {
      let job = try world.florana(
        ["scaling", "tiny.yaml", "--clients", "3,6,12", "--rounds", "2", "--output", "strong"], ranks: 2)
      #expect(job.status == 0, "\(job.standardError)")
      let rows = try rows("strong")
      // 7 clients of 3 steps are 21, rounded up to a multiple of 12.
      #expect(
        rows.map { $0["stepsPerClient"] } == ["8", "4", "2"] && rows.map { $0["ranks"] } == ["2", "2", "2"])
      for row in rows {
        let (steps, seconds) = (Double(row["stepsPerSecond"]!)!, Double(row["secondsMean"]!)!)
        #expect(abs(steps * seconds - 24) < 1e-6 && row["rounds"] == "2" && row["mode"] == "strong")
        #expect(row["evaluateSecondsMaximum"] == "0.0" && Double(row["trainSecondsMinimum"]!)! > 0)
        #expect(Double(row["peakBytes"]!)! > 1_000_000)
      }
      // Rank 4 on two blocks and a head of 99 floats.
      let floats = 2 * 4 * (3 * 64 + 96) + 99
      #expect(rows.map { $0["logicalUp"] } == [3, 6, 12].map { "\($0 * floats * 4)" })
      #expect(rows.map { $0["broadcast"] } == [3, 6, 12].map { _ in "\(floats * 4)" })
      #expect(rows[0]["speedUp"] == "1.0" && rows[0]["efficiency"] == "1.0")
      #expect(
        job.standardOutput.contains("24 local steps a round") && job.standardOutput.contains("efficiency"))
      // The table stays: another sweep wants a folder of its own.
      let table = try world.text("strong/scaling.csv")
      let again = try world.florana(
        ["scaling", "tiny.yaml", "--clients", "3", "--output", "strong"], ranks: 2)
      #expect(again.status == 2 && again.standardError.contains("strong: expected a new or empty folder"))
      #expect(try world.text("strong/scaling.csv") == table)
    }

    @Test func weakRowsGrowWithTheRanks() throws {
      let job = try world.florana(
        [
          "scaling", "tiny.yaml", "--weak", "--clients", "2,4", "--rounds", "1", "--output", "weak",
          "--evaluate",
          "--quiet", "--set", "clients.participation=0.5",
        ], ranks: 3)
      #expect(job.status == 0, "\(job.standardError)")
      let rows = try rows("weak")
      #expect(rows.map { $0["clients"] } == ["6", "12"] && rows.map { $0["cohort"] } == ["3", "6"])
      #expect(rows.map { $0["stepsPerClient"] } == ["3", "3"] && rows[0]["clientsPerRank"] == "2.0")
      #expect(rows.allSatisfy { Double($0["evaluateSecondsMaximum"]!)! > 0 })
    }

    @Test func ranksAreSweptAndMerged() throws {
      let scripts = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "scripts").path
      func sweep(_ arguments: [String]) throws -> Job.Outcome {
        try Job.run(
          ["/bin/bash", scripts + "/scaling.sh"] + arguments, ranks: nil,
          environment: ["FLORANA": TinyWorld.program], folder: world.folder)
      }
      let job = try sweep([
        "tiny.yaml", "--ranks", "2,1", "--clients", "2,4", "--rounds", "1", "--output", "sweep", "--quiet",
      ])
      #expect(job.status == 0, "\(job.standardError)")
      let rows = try rows("sweep")
      #expect(
        rows.map { "\($0["clients"]!) on \($0["ranks"]!)" } == ["2 on 1", "2 on 2", "4 on 1", "4 on 2"])
      for (alone, shared) in [(rows[0], rows[1]), (rows[2], rows[3])] {
        let ratio = Double(shared["tokensPerSecond"]!)! / Double(alone["tokensPerSecond"]!)!
        #expect(abs(Double(shared["rankEfficiency"]!)! - ratio / 2) < 1e-9 && alone["rankSpeedUp"] == "1.0")
        // Strong scaling: the same work on any number of ranks.
        #expect(alone["stepsPerClient"] == shared["stepsPerClient"])
      }
      #expect(try sweep(["tiny.yaml", "--ranks", "1,x", "--clients", "2"]).status == 2)
      let unfinished = try sweep(["tiny.yaml", "--clients", "2", "--ranks"])
      #expect(
        unfinished.status == 2
          && unfinished.reports("error: ") == ["--ranks: expected a value, found nothing"])
      #expect(try sweep(["tiny.yaml", "--ranks", "1", "--clients", "2", "--output", "sweep"]).status == 2)
    }

    @Test func mistakesAreRefusedBeforeTheFirstRound() throws {
      for (arguments, problem) in [
        (["--clients", "4,x"], "'--clients <clients>': expected numbers"),
        (["--clients", "4 8"], "expected numbers"),
        (["--clients", "7,9,11"], "multiple of 693"),
        (["--clients", "4", "--rounds", "0"], "--rounds"),
        (["--clients", "4,400"], "clients.count"),
      ] {
        let job = try world.florana(["scaling", "tiny.yaml", "--output", "x"] + arguments, ranks: 2)
        #expect(job.status == 2 && job.standardError.contains(problem), "\(job.standardError)")
      }
    }
  }
}
