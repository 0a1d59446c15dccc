import Foundation
import Safetensors
import LaunchSupport
import TestSupport
import Testing

extension LaunchTests {
  /// Bad input: one clear line, once for the whole job, status 2, before any training.
  @Suite(.serialized) struct RefusalTests {
    private let world: TinyWorld

    init() throws { world = try TinyWorld() }

    private func expectRefusal(
      _ settings: [String] = [], naming parts: [String], sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
      let job = try world.simulate("refused", settings, ranks: 2)
      #expect(job.status == 2, sourceLocation: sourceLocation)
      let reports = job.reports("florana: ")
      #expect(reports.count == 1, "\(job.standardError)", sourceLocation: sourceLocation)
      for part in parts {
        #expect(reports.first?.contains(part) == true, "\(reports)", sourceLocation: sourceLocation)
      }
      #expect(!job.standardOutput.contains("round 1"), sourceLocation: sourceLocation)
      #expect(
        !FileManager.default.fileExists(atPath: world.folder.path + "/refused/rounds.jsonl"),
        sourceLocation: sourceLocation)
    }

    @Test func anUnknownKey() throws {
      try expectRefusal(["training.stepz=3"], naming: ["training.stepz", "steps"])
    }

    @Test func aWrongType() throws {
      try expectRefusal(["training.rounds=many"], naming: ["training.rounds", "many"])
    }

    @Test(arguments: [
      "fedit", "florana", "ffa-lora", "rolora", "fedsa-lora", "fedex-lora", "lora-fair", "ideal",
    ])
    func adapterRanksThatTheMethodCannotCombine(method: String) throws {
      try expectRefusal(
        ["adapter.rank=[4, 4, 2, 4, 4, 4, 4]", "method.name=\(method)"],
        naming: ["adapter.rank", "one adapter rank for \(method) (it", "found 2, 4", "flexlora"])
    }

    @Test func aMissingModel() throws {
      try expectRefusal(["model.path=nowhere"], naming: ["nowhere/config.json", "no such file"])
    }

    @Test func missingData() throws {
      try expectRefusal(["data.path=nowhere"], naming: ["nowhere/dataset.json"])
    }

    @Test func aModelFileCutShort() throws {
      let path = world.model + "/model.safetensors"
      let whole = try Data(contentsOf: URL(filePath: path))
      try whole.dropLast(1000).write(to: URL(filePath: path))
      try expectRefusal(naming: ["model.safetensors", "cut short"])
    }

    @Test func aHeaderThatLiesAboutOffsets() throws {
      let path = world.model + "/model.safetensors"
      var file = try Data(contentsOf: URL(filePath: path))
      let offsets = try #require(file.range(of: Data(#""data_offsets":[0,"#.utf8)))
      file[offsets.upperBound - 2] = UInt8(ascii: "4")
      try file.write(to: URL(filePath: path))
      try expectRefusal(naming: ["model.safetensors", "expected"])
    }

    @Test func labelsOutsideTheRange() throws {
      try world.writeData { $0[5] = 3 }
      try expectRefusal(naming: ["train.safetensors", "row 5", "3"])
    }

    @Test func anAdapterRankAboveADimension() throws {
      try expectRefusal(["adapter.rank=33"], naming: ["adapter.rank", "32", "33", "query"])
    }

    @Test func aTargetThatNamesNoLayer() throws {
      try expectRefusal(["adapter.targets=[queri]"], naming: ["adapter.targets", "queri", "query"])
    }

    @Test func moreClientsThanRows() throws {
      try expectRefusal(["clients.count=211"], naming: ["211", "210"])
    }

    @Test func sequencesBeyondTheModelsPositions() throws {
      try Data(
        world.text("model/config.json").replacing(
          #""max_position_embeddings": 40"#, with: #""max_position_embeddings": 8"#
        ).utf8
      ).write(to: URL(filePath: world.model + "/config.json"))
      try expectRefusal(naming: ["found 14", "8"])
    }

    @Test func anotherTokenizer() throws {
      try Data("{}".utf8).write(to: URL(filePath: world.model + "/tokenizer.json"))
      try expectRefusal(naming: ["tokenizer"])
    }

    @Test func aMissingTensorLeavesNoFolder() throws {
      let path = world.model + "/config.json"
      try Data(
        world.text("model/config.json").replacing(
          #""num_hidden_layers": 2"#, with: #""num_hidden_layers": 3"#
        ).utf8
      ).write(to: URL(filePath: path))
      try expectRefusal(naming: ["model.safetensors", "encoder.layer.2.attention.self.query.weight"])
      #expect(!FileManager.default.fileExists(atPath: world.folder.path + "/refused"))
    }

    @Test func segmentsBeyondTheModels() throws {
      let settings = world.data + "/train.safetensors"
      var writer = SafetensorsWriter()
      let file = try SafetensorsFile(path: settings)
      for name in ["tokens", "labels", "groups"] {
        let values = try file.integers(named: name, as: Int32.self)
        writer.add(name: name, shape: [values.count], integers: values)
      }
      let offsets = try file.integers(named: "offsets", as: Int64.self)
      writer.add(name: "offsets", shape: [offsets.count], integers: offsets)
      writer.add(
        name: "tokenTypes", shape: [Int(offsets.last!)],
        integers: [UInt8](repeating: 1, count: Int(offsets.last!)))
      try writer.write(to: settings)
      try Data(
        world.text("model/config.json").replacing(#""type_vocab_size": 2"#, with: #""type_vocab_size": 1"#)
          .utf8
      ).write(to: URL(filePath: world.model + "/config.json"))
      try expectRefusal(naming: ["train.safetensors", "token types below 1"])
    }

    @Test func anOutputThatCannotBeMade() throws {
      let job = try world.simulate("tiny.yaml/run", ranks: 2)
      #expect(job.status == 2 && job.reports("florana: ").count == 1, "\(job.standardError)")
    }

    @Test func predictionsThatCannotBeWritten() throws {
      #expect(try world.simulate("run", ["training.rounds=1"], ranks: nil).status == 0)
      for path in ["nowhere/rows.jsonl", "tiny.yaml/rows.jsonl", "run"] {
        let job = try world.florana(
          [
            "evaluate", "--model", "model", "--data", "data", "--adapter", "run/adapter", "--predictions",
            path,
          ], ranks: 2)
        #expect(job.status == 2 && job.reports("florana: ").count == 1, "\(path): \(job.standardError)")
        #expect(job.standardError.contains("--predictions") && job.standardOutput.isEmpty)
      }
    }

    @Test func aDivergingRunIsToldOnce() throws {
      let job = try world.simulate(
        "run", ["training.optimizer=sgd", "training.learning-rate=3e38", "training.clip-norm=0"], ranks: 3)
      #expect(job.status == 1)
      #expect(job.reports("florana: ").count == 1, "\(job.standardError)")
      #expect(job.standardError.contains("training.learning-rate"))
      #expect(!FileManager.default.fileExists(atPath: world.folder.path + "/run/summary.json"))
    }

    @Test func aFolderThatHoldsAnotherRun() throws {
      #expect(try world.simulate("run", ["training.rounds=1"], ranks: 2).status == 0)
      let before = try world.text("run/summary.json")
      let job = try world.simulate("run", ["training.rounds=1"], ranks: 2)
      #expect(job.status == 2)
      #expect(job.reports("florana: ").count == 1 && job.standardError.contains("another run"))
      #expect(try world.text("run/summary.json") == before)
    }

    @Test func anUnfinishedRunIsCalledSo() throws {
      #expect(try world.simulate("run", ["training.rounds=1"], ranks: nil).status == 0)
      try FileManager.default.removeItem(atPath: world.folder.path + "/run/summary.json")
      let job = try world.simulate("run", ["training.rounds=1"], ranks: nil)
      #expect(job.status == 2 && job.standardError.contains("unfinished"))
    }

    @Test func aReaderThatGoesAwayEndsNothing() throws {
      let line = "\(TinyWorld.program) simulate tiny.yaml --output run | head -1"
      let job = try Job.run(["/bin/bash", "-o", "pipefail", "-c", line], ranks: nil, folder: world.folder)
      #expect(job.status == 0 && job.standardOutput.split(separator: "\n").count == 1, "\(job.standardError)")
      #expect(try !world.text("run/summary.json").isEmpty)
    }

    @Test func aMetricThatCannotBeWrittenIsAnError() throws {
      #expect(try world.simulate("run", ["training.rounds=1"], ranks: nil).status == 0)
      let line = "\(TinyWorld.program) evaluate --model model --data data --adapter run/adapter >/dev/full"
      let job = try Job.run(["/bin/bash", "-c", line], ranks: nil, folder: world.folder)
      #expect(job.status == 1 && job.reports("florana: ").first?.hasPrefix("standard output: ") == true)
    }

    @Test func badUsage() throws {
      let job = try world.florana(["simulate", "--outpt", "x"], ranks: 2)
      #expect(job.status == 2)
      #expect(job.standardError.components(separatedBy: "Usage:").count == 2, "once, not once a rank")
    }

    @Test(arguments: [
      "simulate", "compare", "aggregate", "evaluate", "doctor", "benchmark step", "benchmark estimate",
    ])
    func helpShowsAnExample(command: String) throws {
      let words = command.split(separator: " ").map(String.init)
      let job = try world.florana(words + ["--help"], ranks: nil)
      #expect(job.status == 0 && job.standardOutput.contains("florana \(command)"))
      #expect(job.standardOutput.contains("Example"))
    }

    @Test func theVersionNamesLibraries() throws {
      let job = try world.florana(["--version"], ranks: nil)
      #expect(job.status == 0)
      let mpi = Job.isOpenMPI ? "MPI: Open MPI" : "MPI: MPICH"
      #expect(["florana 0", mpi, "BLAS: OpenBLAS"].allSatisfy(job.standardOutput.contains))
    }

    @Test func theDoctorFindsABrokenModel() throws {
      let folders = ["doctor", "--models", world.folder.path, "--data", world.folder.path + "/none"]
      let healthy = try world.florana(["doctor", "--models", "none", "--data", "none"], ranks: 2)
      #expect(healthy.status == 0 && healthy.standardOutput.contains("2 on "))
      let broken = try world.florana(folders, ranks: 2)
      #expect(broken.status == 1 && broken.standardOutput.contains("FAIL"))
      #expect(broken.reports("florana: ").count == 1)
    }

    @Test func theDoctorFindsWeightsThatAreMissing() throws {
      let folders = ["doctor", "--models", ".", "--data", "none"]
      #expect(
        try world.florana(folders, ranks: nil).standardOutput.contains("ok    model     ./model: 32 wide"))
      try Data(
        world.text("model/config.json").replacing(
          #""num_hidden_layers": 2"#, with: #""num_hidden_layers": 3"#
        )
        .utf8
      ).write(to: URL(filePath: world.model + "/config.json"))
      let broken = try world.florana(folders, ranks: nil)
      #expect(broken.status == 1 && broken.standardOutput.contains("layer.2."), "\(broken.standardOutput)")
    }
  }
}
