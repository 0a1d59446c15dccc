import Foundation
import LaunchSupport
import Telemetry
import TestSupport
import Testing

extension LaunchTests {
  @Suite(.serialized) struct CompareTests {
    private let world: TinyWorld

    init() throws { world = try TinyWorld() }

    @Test func methodsAreComparedOnTheSameSplitAndStart() throws {
      let job = try world.florana(
        [
          "compare", "tiny.yaml", "--methods", "fedit,florana-matrix", "--seeds", "1,2", "--output", "both",
          "--quiet", "--set", "training.rounds=1",
        ], ranks: 2)
      #expect(job.status == 0, "\(job.standardError)")
      let csv = try world.text("both/compare.csv").split(separator: "\n")
      #expect(csv.count == 5 && csv[1].hasPrefix("fedit,1,") && csv[4].hasPrefix("florana-matrix,2,"))
      #expect(job.standardOutput.contains("rank correlation of ρ with global accuracy"))
      for seed in 1...2 {
        let (plain, matrix) = (
          try world.rounds("both/fedit-seed\(seed)"), try world.rounds("both/florana-matrix-seed\(seed)")
        )
        // The first round's factors do not depend on the method, and so neither do these.
        #expect(plain[0].rhoFedIT == matrix[0].rhoFedIT && plain[0].oracle == matrix[0].oracle)
        #expect(plain[0].trainLoss == matrix[0].trainLoss && plain[0].rho != matrix[0].rho)
      }
      let alone = try world.simulate("alone", ["training.rounds=1", "seed=2", "method.name=fedit"], ranks: 1)
      #expect(alone.status == 0)
      #expect(try world.adapterHash("alone") == world.adapterHash("both/fedit-seed2"))
    }

    /// compare.csv and the table against the runs' own reports: an averaging method, one that changes the base
    /// weights, one with cores, and one that leaves factors with the clients.
    @Test func everyColumnIsWhatTheRunsReport() throws {
      let methods = ["fedit", "flora", "fed-sb", "fedsa-lora"]
      let job = try world.florana(
        [
          "compare", "tiny.yaml", "--methods", methods.joined(separator: ","), "--seeds", "1,2", "--output",
          "all", "--quiet", "--set", "clients.participation=0.6",
        ], ranks: 2)
      #expect(job.status == 0, "\(job.standardError)")
      let lines = try table("all/compare.csv")
      #expect(lines.map { $0["method"] } == methods + methods)
      #expect(
        lines.map { $0["seed"] } == [String](repeating: "1", count: 4) + [String](repeating: "2", count: 4))
      for line in lines {
        let (method, seed) = (try #require(line["method"]), try #require(line["seed"]))
        try expectFigures(line, of: world.rounds("all/\(method)-seed\(seed)"))
        // What applies the ideal update loses nothing against the oracle.
        let exact = ["flora", "fed-sb"].contains(method)
        let (rho, loss) = (try #require(number(line, "rho")), try #require(number(line, "oracleLoss")))
        #expect(exact == (rho < 1e-6) && (!exact || loss == 0), "\(method): \(rho), \(loss)")
      }
      for method in methods {
        try expectShown(method, lines.filter { $0["method"] == method }, in: job.standardOutput)
      }
    }

    /// The lines of a file of comma-separated values, by the names in its head.
    private func table(_ path: String) throws -> [[String: String]] {
      let rows = try world.text(path).split(separator: "\n")
        .map { $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init) }
      return rows.dropFirst().map { Dictionary(uniqueKeysWithValues: zip(rows[0], $0)) }
    }

    private func number(_ line: [String: String], _ column: String) -> Double? {
      line[column].flatMap(Double.init)
    }

    /// Metrics are the last round's; bytes and seconds are sums, the oracle's lead is a mean.
    private func expectFigures(_ line: [String: String], of rounds: [RoundReport]) throws {
      let last = try #require(rounds.last)
      #expect(rounds.count == 2 && number(line, "globalAccuracy") == last.global?.accuracy)
      #expect(number(line, "personalisedAccuracy") == last.personalised?.accuracy)
      #expect(number(line, "gap") == last.gap && number(line, "rho") == last.rho)
      #expect(number(line, "rhoFedIT") == last.rhoFedIT && number(line, "rhoOptimum") == last.rhoOptimum)
      let leads = try rounds.map { try #require($0.oracle).accuracy - #require($0.global).accuracy }
      #expect(number(line, "oracleLoss") == (leads[0] + leads[1]) / 2)
      #expect(number(line, "logicalUp") == Double(rounds.map(\.bytes.logicalUp).reduce(0, +)))
      #expect(number(line, "logicalDown") == Double(rounds.map(\.bytes.logicalDown).reduce(0, +)))
      #expect(number(line, "gathered") == Double(rounds.map(\.bytes.gathered).reduce(0, +)))
      #expect(number(line, "broadcast") == Double(rounds.map(\.bytes.broadcast).reduce(0, +)))
      for phase in Phase.allCases {
        let seconds = rounds.reduce(0) { $0 + ($1.seconds[phase]?.mean ?? 0) }
        #expect(number(line, phase.rawValue + "Seconds") == seconds, "\(phase)")
      }
      #expect(try #require(number(line, "trainSeconds")) > 0)
    }

    /// Means over two seeds and standard deviations, as the table on the terminal has them.
    private func expectShown(_ method: String, _ lines: [[String: String]], in output: String) throws {
      let rows = output.split(separator: "\n")
      let shown = try #require(rows.first { $0.drop { $0 == " " }.hasPrefix(method + " ") })
      for (column, scale, decimals) in [("globalAccuracy", 100, 2), ("rho", 1, 4), ("logicalUp", 1e-6, 2)]
        as [(String, Double, Int)]
      {
        let values = lines.compactMap { number($0, column) }.map { $0 * scale }
        try #require(values.count == 2)
        let (mean, deviation) = ((values[0] + values[1]) / 2, abs(values[0] - values[1]) / 2.0.squareRoot())
        let cell = String(format: "%.\(decimals)f ± %.\(decimals)f", mean, deviation)
        #expect(shown.contains(cell), "\(column): \(cell) in \(shown)")
      }
    }

    @Test func anUnknownMethodIsRefusedBeforeTheFirstRun() throws {
      let job = try world.florana(
        ["compare", "tiny.yaml", "--methods", "fedit,florena", "--output", "x"], ranks: 2)
      #expect(job.status == 2 && job.reports("florana: ").count == 1)
      #expect(job.standardError.contains("florena") && job.standardError.contains("did you mean florana"))
      #expect(!FileManager.default.fileExists(atPath: world.folder.path + "/x"))
    }
  }
}
