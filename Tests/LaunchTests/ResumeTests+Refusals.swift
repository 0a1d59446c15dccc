import Foundation
import LaunchSupport
import Telemetry
import TestSupport
import Testing

/// What a stopped run does not go on from.
extension LaunchTests.ResumeTests {
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
      "warning: the run began on BLAS core Abacus with 1 thread, frozen products by "
    #expect(job.status == 0)
    #expect(
      job.reports("florana: ").map {
        $0.hasPrefix(warning) && $0.contains(" and goes on with \(core) with 1")
      } == [true], "\(job.standardError)")
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
