import Foundation
import LaunchSupport
import Telemetry
import TestSupport
import Testing

extension LaunchTests {
  /// Runs that stop and go on end in the same bytes as those that do not.
  @Suite(.serialized) struct ResumeTests {
    private let world: TinyWorld

    init() throws { world = try TinyWorld() }

    private func path(_ name: String) -> String { world.folder.path + "/" + name }

    @discardableResult private func simulate(
      _ output: String, _ settings: [String], ranks: Int?, sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> Job.Outcome {
      let job = try world.simulate(output, settings, ranks: ranks)
      #expect(job.status == 0, "\(job.standardError)", sourceLocation: sourceLocation)
      return job
    }

    private func resume(_ output: String, _ settings: [String] = [], ranks: Int?) throws -> Job.Outcome {
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

    private func environment(_ output: String) throws -> EnvironmentReport {
      try JSONDecoder().decode(
        EnvironmentReport.self, from: Data(world.text(output + "/environment.json").utf8))
    }

    private func checkpoints(_ output: String) -> [String] {
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
      for rank in Processes.children(of: job.processIdentifier) { kill(rank, SIGKILL) }
      let killed = job.outcome()
      #expect(killed.status != 0)
      #expect(
        killed.standardOutput.contains("goes on with: mpirun -np 3 \(TinyWorld.program) simulate --resume"))
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
      for rank in Processes.children(of: job.processIdentifier) { kill(rank, SIGKILL) }
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

    private func append(_ text: String, to name: String) throws {
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
      let job = try world.simulate("run", settings, ranks: 2)
      let reports = job.reports("florana: ")
      #expect(job.status == 1 && reports.count == 1, "\(job.standardError)")
      #expect(reports.first?.contains("run/adapter: ") == true)
      let command =
        "; after round 2 go on with: mpirun -np 2 \(TinyWorld.program) simulate --resume --output run"
      #expect(reports.first?.hasSuffix(command) == true, "\(reports)")
      try FileManager.default.removeItem(atPath: path("run/adapter"))
      #expect(try resume("run", ranks: 3).status == 0)
      try expectSame("run", as: "whole")
    }

    private func expectRefusal(
      _ arguments: [String], naming parts: [String], sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
      let before = try? world.text("run/rounds.jsonl")
      let job = try world.florana(["simulate"] + arguments, ranks: 2)
      let line = job.standardError
      #expect(job.status == 2, "\(line)", sourceLocation: sourceLocation)
      for part in parts { #expect(line.contains(part), "\(line)", sourceLocation: sourceLocation) }
      #expect(before == (try? world.text("run/rounds.jsonl")), sourceLocation: sourceLocation)
    }

    @Test func anotherConfigurationIsRefused() throws {
      try simulate("run", ["checkpoint.every=2"], ranks: 2)
      let go = ["--resume", "--output", "run"]
      try expectRefusal(
        go + ["--set", "training.batch=8"], naming: ["--resume: training.batch: expected 4", "found 8"])
      try expectRefusal(
        go + ["--set", "data.partition={kind: iid}"], naming: ["data.partition.kind: expected dirichlet"])
      try expectRefusal(
        go + ["--set", "training.rounds=1"], naming: ["training.rounds: expected at least 2"])
      try expectRefusal(["tiny.yaml"] + go + ["--set", "seed=4"], naming: ["seed: expected 3", "found 4"])
    }

    /// Such as leave the rows of each client as they were.
    @Test(arguments: [
      "model/config.json", "model/model.safetensors", "data/dataset.json", "data/train.safetensors",
      "data/test.safetensors",
    ])
    func otherInputsAreRefused(file: String) throws {
      try simulate("run", ["checkpoint.every=2"], ranks: 2)
      let url = URL(filePath: path(file))
      let whole = try Data(contentsOf: url)
      var bytes = whole
      if file.hasSuffix(".json") {
        bytes.append(0x0A)
      } else {
        let name = file.hasPrefix("data") ? "tokens" : "encoder.layer.1.output.dense.weight"
        try changeFirstNumber(of: name, in: &bytes)
      }
      try bytes.write(to: url)
      let go = ["--resume", "--output", "run"]
      try expectRefusal(go, naming: ["\(file): expected the file as the run began", "found another"])
      try whole.write(to: url)
      #expect(try resume("run", ranks: 2).status == 0, "whole again")
    }

    /// Another number that is as good: its lowest byte's lowest bit.
    private func changeFirstNumber(of name: String, in file: inout Data) throws {
      let headerLength = Int(
        file.prefix(8).enumerated().reduce(0) { $0 | UInt64($1.element) << (8 * $1.offset) })
      let header = try #require(
        JSONSerialization.jsonObject(with: file[8..<8 + headerLength]) as? [String: [String: Any]])
      let offsets = try #require(header[name]?["data_offsets"] as? [Int])
      file[8 + headerLength + offsets[0]] ^= 1
    }

    @Test func otherRowsOfTheClientsAreRefused() throws {
      try simulate("run", ["checkpoint.every=2"], ranks: 2)
      try append("7,0,0,0\n", to: "run/partition.csv")
      try expectRefusal(
        ["--resume", "--output", "run"], naming: ["partition.csv", "the data have changed"])
    }

    @Test func anotherBLASIsWarnedOf() throws {
      try simulate("run", ["checkpoint.every=2"], ranks: 2)
      let name = "run/checkpoint/round-00000002/checkpoint.json"
      let core = try environment("run").blas.core
      let other = try world.text(name).replacing("\"\(core) with", with: "\"Abacus with")
      try Data(other.utf8).write(to: URL(filePath: path(name)))
      let job = try resume("run", ["training.rounds=4"], ranks: 2)
      let warning =
        "warning: the run began on BLAS core Abacus with 1 thread and goes on with \(core) with 1"
      #expect(job.status == 0)
      #expect(job.reports("florana: ").map { $0.hasPrefix(warning) } == [true], "\(job.standardError)")
      // Both stay known.
      let again = try resume("run", ["training.rounds=6"], ranks: 3)
      #expect(again.status == 0 && again.reports("florana: ").first?.contains("Abacus with 1") == true)
      #expect(try environment("run").earlier?.map(\.resumedAfterRound) == [nil, 2])
    }

    @Test func aRunAtWorkIsLeftAlone() throws {
      let job = try Job(
        [
          TinyWorld.program, "simulate", "tiny.yaml", "--output", "run", "--quiet", "--set",
          "training.rounds=100000", "--set", "checkpoint.every=1",
        ], ranks: nil, folder: world.folder)
      #expect(Processes.wait(upTo: 60) { checkpoints("run").contains { !$0.hasSuffix(".partial") } })
      let second = try resume("run", ranks: 2)
      #expect(second.status == 2, "\(second.standardError)")
      #expect(second.standardError.contains("run: expected a run that no job works on"))
      let count = try world.rounds("run").count
      #expect(Processes.wait(upTo: 60) { (try? world.rounds("run").count) ?? 0 > count }, "it was stopped")
      kill(job.processIdentifier, SIGKILL)
      _ = job.outcome()
      let go = ["simulate", "--resume", "--output", "run", "--quiet", "--set", "training.rounds=1000000"]
      let third = try Job([TinyWorld.program] + go, ranks: nil, folder: world.folder)
      let last = try world.rounds("run").count
      #expect(Processes.wait(upTo: 60) { (try? world.rounds("run").count) ?? 0 > last }, "the lock is left")
      kill(third.processIdentifier, SIGKILL)
      _ = third.outcome()
    }

    @Test func whereThereIsNothingToGoOnFrom() throws {
      try expectRefusal(["--resume"], naming: ["--resume: expected --output"])
      try expectRefusal([], naming: ["expected the configuration's file"])
      try expectRefusal(["--resume", "--output", "run"], naming: ["run: expected a run to go on with"])
      try simulate("run", ["training.rounds=1"], ranks: nil)
      try expectRefusal(["--resume", "--output", "run"], naming: ["run/checkpoint: expected a checkpoint"])
    }

    @Test func damagedCheckpointsAreRefused() throws {
      try simulate("run", ["checkpoint.every=2", "training.optimizer-state=keep"], ranks: 2)
      let folder = "run/checkpoint/round-00000002/"
      func expectRefusal(of file: String, _ part: String, _ damage: (inout Data) -> Void) throws {
        let url = URL(filePath: path(file))
        let whole = try Data(contentsOf: url)
        var bytes = whole
        damage(&bytes)
        try bytes.write(to: url)
        try self.expectRefusal(["--resume", "--output", "run"], naming: [file, part])
        try whole.write(to: url)
      }
      try expectRefusal(of: folder + "server.safetensors", "damaged") { $0[$0.count - 3] ^= 1 }
      try expectRefusal(of: folder + "clients.safetensors", "damaged") { $0.removeLast() }
      try expectRefusal(of: folder + "config.yaml", "damaged") { $0.append(0x0A) }
      try expectRefusal(of: folder + "checkpoint.json", "found otherwise") { $0.removeLast(3) }
      try expectRefusal(of: folder + "checkpoint.json", "expected version 2, found 1") {
        $0 = Data(
          String(decoding: $0, as: UTF8.self).replacing("\"version\" : 2", with: "\"version\":1").utf8)
      }
      try expectRefusal(of: "run/layers.jsonl", "cut short") { $0.removeLast() }
      try FileManager.default.moveItem(
        atPath: path(folder + "clients.safetensors"), toPath: path("clients.safetensors"))
      try self.expectRefusal(
        ["--resume", "--output", "run"], naming: [folder + "clients.safetensors", "found no file"])
      try FileManager.default.moveItem(
        atPath: path("clients.safetensors"), toPath: path(folder + "clients.safetensors"))
      let job = try resume("run", ranks: 2)
      #expect(job.status == 0, "whole again: \(job.standardError)")
    }
  }
}
