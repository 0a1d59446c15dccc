import Foundation
import LaunchSupport
import Telemetry
import TestSupport
import Testing

extension LaunchTests {
  /// Runs that stop and go on end in the same bytes as those that do not.
  @Suite(.serialized) struct ResumeTests {
    let world: TinyWorld

    init() throws { world = try TinyWorld() }

    func path(_ name: String) -> String { world.folder.path + "/" + name }

    @discardableResult func simulate(
      _ output: String, _ settings: [String], ranks: Int?, sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> Job.Outcome {
      let job = try world.simulate(output, settings, ranks: ranks)
      #expect(job.status == 0, "\(job.standardError)", sourceLocation: sourceLocation)
      return job
    }

    func resume(_ output: String, _ settings: [String] = [], ranks: Int?) throws -> Job.Outcome {
      let overrides = settings.flatMap { ["--set", $0] }
      return try world.florana(["simulate", "--resume", "--output", output] + overrides, ranks: ranks)
    }

    /// The files of two runs are the same but for times and what depends on the ranks.
    private func expectSame(
      _ output: String, as whole: String, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
      #expect(try world.adapterHash(output) == world.adapterHash(whole), sourceLocation: sourceLocation)
      #expect(try world.results(output) == world.results(whole), sourceLocation: sourceLocation)
      for file in ["layers.jsonl", "config.yaml", "partition.csv"] {
        #expect(
          try world.text("\(output)/\(file)") == world.text("\(whole)/\(file)"), "\(file)",
          sourceLocation: sourceLocation)
      }
      #expect(try phases(output) == phases(whole), sourceLocation: sourceLocation)
      let (found, expected) = (try summary(output), try summary(whole))
      #expect(found.baseSHA256 == expected.baseSHA256, sourceLocation: sourceLocation)
      #expect(
        found.rounds == expected.rounds && found.best?.round == expected.best?.round,
        sourceLocation: sourceLocation)
    }

    /// Round and phase of every line.
    private func phases(_ output: String) throws -> [String] {
      try world.text(output + "/phases.csv").split(separator: "\n")
        .map { $0.split(separator: ",").prefix(2).joined(separator: ",") }
    }

    private func summary(_ output: String) throws -> RunSummary {
      try JSONDecoder().decode(RunSummary.self, from: Data(world.text(output + "/summary.json").utf8))
    }

    func environment(_ output: String) throws -> EnvironmentReport {
      try JSONDecoder().decode(
        EnvironmentReport.self, from: Data(world.text(output + "/environment.json").utf8))
    }

    func checkpoints(_ output: String) -> [String] {
      (try? FileManager.default.contentsOfDirectory(atPath: path(output + "/checkpoint")))?.sorted() ?? []
    }

    @Test(arguments: [
      (["method.name=fedit"], 1, 3),
      (["method.name=florana", "clients.participation=0.5", "training.optimizer-state=keep"], 1, 3),
      (["method.name=fedsa-lora", "clients.participation=0.5"], 3, 2),
      (["method.name=rolora", "training.optimizer-state=keep"], 1, 3),
      (["method.name=flora", "clients.participation=0.6"], 3, 2),
      (["method.name=fedex-lora"], 1, 3),
      (["method.name=fed-sb", "training.optimizer-state=keep"], 3, 2),
      (["method.name=fedex-lora", "server.wire=bf16", "clients.participation=0.6"], 3, 2),
      (["method.name=florana", "server.wire=f16", "training.optimizer-state=keep"], 1, 3),
      (
        [
          "method.name=hetlora", "adapter.rank=[4, 1, 2, 2, 3, 4, 1]", "adapter.head=local",
          "training.optimizer-state=keep", "clients.participation=0.5",
        ], 3, 2
      ),
      (["method.name=fedit", "adapter.head=local", "clients.participation=0.5"], 3, 2),
      (
        [
          "training.optimizer=sgd", "training.momentum=0.9", "training.optimizer-state=keep",
          "training.learning-rate=0.05", "method.name=ffa-lora", "clients.placement=cyclic",
        ], 3, 2
      ),
    ])
    func moreRoundsEndAsIfThereHadBeenNoStop(settings: [String], ranks: Int, then: Int) throws {
      let settings = settings + ["checkpoint.every=2"]
      try simulate("whole", settings + ["training.rounds=4"], ranks: 2)
      try simulate("run", settings + ["training.rounds=2"], ranks: ranks)
      #expect(checkpoints("run") == ["round-00000002"])
      let job = try resume("run", ["training.rounds=4"], ranks: then)
      #expect(job.status == 0, "\(job.standardError)")
      try expectSame("run", as: "whole")
      #expect(checkpoints("run") == ["round-00000004"])
    }

    @Test(arguments: [
      ["method.name=fedex-lora"], ["method.name=fedsa-lora", "adapter.head=local"],
      ["method.name=florana", "clients.participation=0.5"],
      ["method.name=fedsa-lora", "server.wire=bf16"],
    ])
    func theServersModeMayChange(settings: [String]) throws {
      let settings = settings + ["training.optimizer-state=keep", "checkpoint.every=1"]
      try simulate("whole", settings + ["training.rounds=4"], ranks: 2)
      try simulate("run", settings + ["training.rounds=1", "server.mode=pipelined"], ranks: 3)
      for (index, mode) in ["sharded", "pipelined", "root"].enumerated() {
        let job = try resume(
          "run", ["training.rounds=\(index + 2)", "server.mode=\(mode)"], ranks: 3 - index)
        #expect(job.status == 0, "\(mode): \(job.standardError)")
      }
      #expect(try world.adapterHash("run") == world.adapterHash("whole"))
      #expect(try world.results("run") == world.results("whole"))
      #expect(try world.layers("run") == world.layers("whole"))
    }

    @Test func whereClientsAreAndWhenStateIsSavedMayChange() throws {
      try simulate("whole", ["training.optimizer-state=keep", "training.rounds=3"], ranks: nil)
      let settings = ["training.optimizer-state=keep", "training.rounds=1", "checkpoint.every=1"]
      try simulate("run", settings, ranks: 3)
      let changes = ["training.rounds=3", "clients.placement=cyclic", "checkpoint.every=0"]
      #expect(try resume("run", changes, ranks: 2).status == 0)
      #expect(try world.adapterHash("run") == world.adapterHash("whole"))
      #expect(try world.results("run") == world.results("whole"))
      #expect(try world.text("run/config.yaml").contains("placement: cyclic"))
    }

    @Test func aKilledRunGoesOn() throws {
      let settings = [
        "training.rounds=60", "checkpoint.every=3", "method.name=fedex-lora", "adapter.head=local",
        "training.optimizer-state=keep", "clients.participation=0.5", "evaluate.every=7",
      ]
      try simulate("whole", settings, ranks: nil)
      let overrides = settings.flatMap { ["--set", $0] }
      let job = try Job(
        [TinyWorld.program, "simulate", "tiny.yaml", "--output", "run"] + overrides, ranks: 3,
        folder: world.folder)
      #expect(Processes.wait(upTo: 60) { checkpoints("run").contains { !$0.hasSuffix(".partial") } })
      for rank in Processes.ranks(of: job) { kill(rank, SIGKILL) }
      let killed = job.outcome()
      #expect(killed.status != 0)
      #expect(
        killed.standardOutput.contains(
          "goes on with: \(Job.launcherName) -np 3 \(TinyWorld.program) simulate --resume"))
      try #require(
        !FileManager.default.fileExists(atPath: path("run/summary.json")), "it was killed too late")
      // What a crash can leave: half a line, and half a checkpoint.
      try append("{\"round\":", to: "run/rounds.jsonl")
      try FileManager.default.createDirectory(
        atPath: path("run/checkpoint/round-00000099.x.partial"), withIntermediateDirectories: true)
      let resumed = try resume("run", ranks: 2)
      #expect(resumed.status == 0, "\(resumed.standardError)")
      try expectSame("run", as: "whole")
      #expect(checkpoints("run") == ["round-00000060"])
      #expect(try environment("run").resumedAfterRound != nil)
      #expect(try environment("run").earlier?.map(\.hosts.first?.ranks) == [3])
    }

    /// Runs `arguments` and kills all ranks as soon as `condition` holds.
    private func killRanks(ofRun arguments: [String], once condition: () throws -> Bool) throws {
      let job = try Job([TinyWorld.program, "simulate"] + arguments, ranks: 3, folder: world.folder)
      #expect(Processes.wait(upTo: 60) { (try? condition()) == true })
      for rank in Processes.ranks(of: job) { kill(rank, SIGKILL) }
      #expect(job.outcome().status != 0)
    }

    /// Killed once, and once more after rounds were added.
    @Test func aRunThatIsKilledAgainGoesOn() throws {
      let settings = [
        "checkpoint.every=3", "method.name=fedsa-lora", "training.optimizer-state=keep",
        "clients.participation=0.5", "evaluate.every=20",
      ]
      try simulate("whole", settings + ["training.rounds=80"], ranks: nil)
      func overrides(_ settings: [String]) -> [String] { settings.flatMap { ["--set", $0] } }
      try killRanks(
        ofRun: ["tiny.yaml", "--output", "run"] + overrides(settings + ["training.rounds=40"]),
        once: { checkpoints("run").contains { !$0.hasSuffix(".partial") } })
      let first = try world.rounds("run").count
      try killRanks(
        ofRun: ["--resume", "--output", "run"] + overrides(["training.rounds=80"]),
        once: { try world.rounds("run").count > first + 5 })
      try #require(
        !FileManager.default.fileExists(atPath: path("run/summary.json")), "it was killed too late")
      #expect(try resume("run", ranks: 2).status == 0)
      try expectSame("run", as: "whole")
      #expect(try environment("run").earlier?.count == 2)
    }

    func append(_ text: String, to name: String) throws {
      let file = try #require(FileHandle(forWritingAtPath: path(name)))
      try file.seekToEnd()
      try file.write(contentsOf: Data(text.utf8))
    }

    @Test func aRunThatIsToldToEndSaysHowToGoOn() throws {
      let job = try Job(
        [
          TinyWorld.program, "simulate", "tiny.yaml", "--output", "a run", "--quiet", "--set",
          "training.rounds=100000", "--set", "checkpoint.every=1",
        ], ranks: nil, folder: world.folder)
      #expect(Processes.wait(upTo: 60) { checkpoints("a run").contains { !$0.hasSuffix(".partial") } })
      #expect(Processes.wait(upTo: 60) { (try? world.rounds("a run").count) ?? 0 > 2 })
      kill(job.processIdentifier, SIGTERM)
      #expect(Processes.wait(upTo: 20) { !Processes.isAlive(job.processIdentifier) }, "it did not end")
      kill(job.processIdentifier, SIGKILL)
      let reports = job.outcome().reports("florana: ")
      #expect(reports.count == 1)
      #expect(reports.first?.hasPrefix("told to end; after round ") == true)
      #expect(reports.first?.hasSuffix("\(TinyWorld.program) simulate --resume --output 'a run'") == true)
    }

    @Test func anErrorAtTheEndSaysHowToGoOn() throws {
      let settings = ["method.name=fedsa-lora", "checkpoint.every=5"]
      try simulate("whole", settings, ranks: 2)
      try FileManager.default.createDirectory(atPath: path("run"), withIntermediateDirectories: true)
      try Data().write(to: URL(filePath: path("run/adapter")))
      let job = try Job.run(
        [TinyWorld.program, "simulate", "tiny.yaml", "--output", "run"] + settings.flatMap { ["--set", $0] },
        ranks: 2, environment: ["MPIRUN": "an mpirun"], folder: world.folder)
      let reports = job.reports("florana: ")
      #expect(job.status == 1 && reports.count == 1, "\(job.standardError)")
      #expect(reports.first?.contains("run/adapter: ") == true)
      let command =
        "; after round 2 go on with: 'an mpirun' -np 2 \(TinyWorld.program) simulate --resume"
        + " --output run"
      #expect(reports.first?.hasSuffix(command) == true, "\(reports)")
      try FileManager.default.removeItem(atPath: path("run/adapter"))
      #expect(try resume("run", ranks: 3).status == 0)
      try expectSame("run", as: "whole")
    }
  }
}
