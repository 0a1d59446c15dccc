import Foundation
import Telemetry
import TestSupport
import Testing

@Suite struct RunDirectoryTests {
  @Test func roundsAndPhasesAreAppended() throws {
    try withTemporaryFolder { folder in
      let run = try RunDirectory(creating: folder + "/runs/a")
      try run.append(report(1))
      try run.append(report(2))
      #expect(
        try text(ofFileAt: run.path(of: "rounds.jsonl")) == report(1).json.line + "\n" + report(2).json.line
          + "\n")
      let phases = """
        round,phase,minimum,mean,maximum,bytes
        1,train,1.0,1.5,2.0,0
        1,gather,0.25,0.5,1.0,2000
        2,train,1.0,1.5,2.0,0
        2,gather,0.25,0.5,1.0,2000

        """
      #expect(try text(ofFileAt: run.path(of: "phases.csv")) == phases)
      #expect(try RunDirectory.rounds(inRunAt: run.path) == [report(1), report(2)])
    }
  }

  @Test func layersAreAppended() throws {
    try withTemporaryFolder { folder in
      let run = try RunDirectory(creating: folder)
      let layers = ["q", "v"].map { LayerReport(round: 1, layer: $0, rho: 0.5) }
      try run.append(layers)
      try run.append([LayerReport(round: 2, layer: "q", rho: 0.25)])
      #expect(try RunDirectory.layers(inRunAt: folder).map(\.round) == [1, 1, 2])
      #expect(try Array(RunDirectory.layers(inRunAt: folder).prefix(2)) == layers)
    }
  }

  /// Ended or not, the timeline is what trace viewers read: a JSON array that may lack its end.
  @Test func theTimelineIsAnArrayOfEvents() throws {
    try withTemporaryFolder { folder in
      let run = try RunDirectory(creating: folder)
      try run.beginTrace(hosts: ["a", "b\"c"])
      let span = TraceSpan(phase: .gather, start: 1.5, seconds: 0.25)
      try run.append(
        [[span], [span, TraceSpan(phase: .apply, start: 2, seconds: 1e-6, count: 7)]], round: 3)
      try run.beginTrace(hosts: ["a", "b"])
      let unfinished = try text(ofFileAt: run.path(of: "trace.json"))
      #expect(unfinished.hasSuffix(",\n"))
      try run.endTrace(seconds: 4)
      let data = Data(try text(ofFileAt: run.path(of: "trace.json")).utf8)
      let events = try #require(JSONSerialization.jsonObject(with: data) as? [[String: Any]])
      #expect(events.map { $0["ph"] as? String } == ["M", "M", "X", "X", "X", "i"])
      #expect(events.map { $0["pid"] as? Int } == [0, 1, 0, 1, 1, 0])
      #expect(events[3]["name"] as? String == "gather" && events[3]["ts"] as? Double == 1.5e6)
      #expect(events[3]["dur"] as? Double == 2.5e5 && events[4]["dur"] as? Double == 1)
      #expect(events[3]["args"] as? [String: Int] == ["round": 3])
      #expect(events[4]["args"] as? [String: Int] == ["round": 3, "joined": 7])
      #expect((events[1]["args"] as? [String: String])?["name"] == "rank 1 on b\"c")
    }
  }

  @Test func wholeFilesAreReplacedAndNothingElseIsLeft() throws {
    try withTemporaryFolder { folder in
      let run = try RunDirectory(creating: folder)
      try run.write(configuration: String(repeating: "long: 1\n", count: 100))
      try run.write(configuration: "seed: 1\n")
      try run.write(RunSummary(of: [report()], wallSeconds: 1))
      try run.write(partition: "client,rows\n0,5\n")
      #expect(try text(ofFileAt: folder + "/config.yaml") == "seed: 1\n")
      #expect(try text(ofFileAt: folder + "/partition.csv") == "client,rows\n0,5\n")
      let names = try FileManager.default.contentsOfDirectory(atPath: folder)
      #expect(Set(names) == ["config.yaml", "summary.json", "partition.csv"])
    }
  }

  @Test(arguments: ["config.yaml", "rounds.jsonl"])
  func aFolderWithAnotherRunIsRefused(file: String) throws {
    try withTemporaryFolder { folder in
      try "".write(toFile: "\(folder)/\(file)", atomically: true, encoding: .utf8)
      #expect {
        try RunDirectory(creating: folder)
      } throws: { error in
        let line = "\(error)"
        return line.contains(folder) && line.contains(file) && line.contains("--output")
      }
    }
  }

  @Test func aFolderWithOtherFilesIsTaken() throws {
    try withTemporaryFolder { folder in
      try "".write(toFile: "\(folder)/notes.txt", atomically: true, encoding: .utf8)
      #expect(try RunDirectory(creating: folder).path == folder)
    }
  }

  @Test func whatCannotBeWrittenIsNamed() throws {
    try withTemporaryFolder { folder in
      let file = folder + "/file"
      try "".write(toFile: file, atomically: true, encoding: .utf8)
      #expect { try RunDirectory(creating: file) } throws: { "\($0)".contains("found a file") }
      #expect { try RunDirectory(creating: file + "/a") } throws: {
        "\($0)".contains("expected to write it, found: make the folder: ")
      }
      let run = try RunDirectory(creating: folder + "/run")
      try FileManager.default.removeItem(atPath: run.path)
      #expect { try run.append(report()) } throws: {
        "\($0)".contains("rounds.jsonl: expected to write it, found: open: No such")
      }
      #expect { try run.write(configuration: "") } throws: { "\($0)".contains("No such file") }
    }
  }

  @Test func oneJobAtATimeWorksOnARun() throws {
    try withTemporaryFolder { folder in
      let run = try RunDirectory(creating: folder)
      try withExtendedLifetime(run.lock()) {
        try run.append(report(1))
        #expect { try run.lock() } throws: {
          "\($0)".contains("\(folder): expected a run that no job works on")
        }
      }
      _ = try run.lock()
      #expect(try RunDirectory.rounds(inRunAt: folder) == [report(1)])
    }
  }

  @Test func theEnvironmentsOfAllJobsAreKept() throws {
    try withTemporaryFolder { folder in
      let run = try RunDirectory(creating: folder)
      for (core, round) in [("Zen", nil), ("Haswell", 3), ("SkylakeX", 5)] as [(String, Int?)] {
        try run.write(environment(core: core, resumedAfterRound: round))
      }
      let data = Data(try text(ofFileAt: folder + "/environment.json").utf8)
      let last = try JSONDecoder().decode(EnvironmentReport.self, from: data)
      #expect(last.blas.core == "SkylakeX" && last.resumedAfterRound == 5)
      #expect(
        last.earlier == [environment(core: "Zen"), environment(core: "Haswell", resumedAfterRound: 3)])
      try run.write("{", to: "environment.json")
      #expect { try run.write(environment(core: "Zen", resumedAfterRound: 6)) } throws: {
        "\($0)".contains("environment.json: expected")
      }
    }
  }

  private func environment(core: String, resumedAfterRound round: Int? = nil) -> EnvironmentReport {
    EnvironmentReport(
      florana: "0.1.0", mpi: .init(library: "MPI", threadLevel: "funneled"), hosts: [], cores: 2,
      blas: .init(core: core, configuration: "", threads: 1, frozenProducts: nil), transports: [:],
      gitCommit: nil,
      startTime: "2026-01-31T12:00:00Z", commandLine: [], resumedAfterRound: round)
  }

  @Test func aBrokenLineIsNamed() throws {
    try withTemporaryFolder { folder in
      let run = try RunDirectory(creating: folder)
      try run.append(report())
      try run.write(report().json.line + "\n{\"round\":2,", to: "rounds.jsonl")
      #expect { try RunDirectory.rounds(inRunAt: folder) } throws: {
        "\($0)".contains("rounds.jsonl:2: expected")
      }
      #expect { try RunDirectory.layers(inRunAt: folder) } throws: {
        "\($0)".contains("layers.jsonl: expected")
      }
    }
  }
}
