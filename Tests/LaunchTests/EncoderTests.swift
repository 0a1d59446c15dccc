import Foundation
import LaunchSupport
import Simulation
import Telemetry
import TestSupport
import Testing

extension LaunchTests {
  /// RoBERTa and MPNet wherever a BERT goes, with the head of two layers.
  @Suite(.serialized) struct EncoderTests {
    /// A model of the golden files and targets of its own.
    struct Kind: CustomTestStringConvertible, Sendable {
      let model: String
      let targets: String
      var testDescription: String { model }
      var settings: [String] { ["adapter.targets=\(targets)"] }
    }

    static let kinds = [
      Kind(model: "tiny-roberta", targets: "[query, value, output.dense]"),
      Kind(model: "tiny-mpnet", targets: "[q, v, o, intermediate.dense]"),
    ]

    private func run(_ world: TinyWorld, _ output: String, _ settings: [String], ranks: Int?) throws {
      let job = try world.simulate(output, settings, ranks: ranks)
      #expect(job.status == 0, "\(job.standardError)")
    }

    private func metrics(_ world: TinyWorld, _ arguments: [String], ranks: Int?) throws -> Metrics {
      let job = try world.florana(["evaluate", "--data", "data", "--batch", "16"] + arguments, ranks: ranks)
      #expect(job.status == 0, "\(job.standardError)")
      return try JSONDecoder().decode(Metrics.self, from: Data(job.standardOutput.utf8))
    }

    @Test(arguments: kinds, ["florana", "fedex-lora"])
    func theNumberOfRanksChangesNoBit(kind: Kind, method: String) throws {
      let world = try TinyWorld(encoder: kind.model)
      let settings = kind.settings + ["method.name=\(method)"]
      try run(world, "one", settings, ranks: nil)
      try run(world, "three", settings, ranks: 3)
      #expect(try world.adapterHash("one") == world.adapterHash("three"))
      #expect(try world.baseHash("one") == world.baseHash("three"))
      let (one, three) = (try world.rounds("one"), try world.rounds("three"))
      #expect(one.map(\.global) == three.map(\.global) && one.map(\.rho) == three.map(\.rho))
      let base = method == "fedex-lora" ? "one/base" : "model"
      let arguments = ["--model", base, "--adapter", "one/adapter"]
      #expect(try metrics(world, arguments, ranks: 2) == one.last?.global)
    }

    @Test(arguments: kinds) func aStoppedRunGoesOn(kind: Kind) throws {
      let world = try TinyWorld(encoder: kind.model)
      let settings = kind.settings + ["checkpoint.every=1", "adapter.head=local"]
      try run(world, "whole", settings, ranks: 2)
      try run(world, "parts", settings + ["training.rounds=1"], ranks: nil)
      let job = try world.florana(
        ["simulate", "--resume", "--output", "parts", "--set", "training.rounds=2"], ranks: 2)
      #expect(job.status == 0, "\(job.standardError)")
      #expect(try world.adapterHash("whole") == world.adapterHash("parts"))
      #expect(try world.results("whole") == world.results("parts"))
    }

    /// All layers of the head go up and down.
    @Test(arguments: kinds) func theBytesOfTheHead(kind: Kind) throws {
      let world = try TinyWorld(encoder: kind.model)
      for head in ["shared", "frozen"] {
        try run(
          world, head, kind.settings + ["training.rounds=1", "method.name=fedit", "adapter.head=\(head)"],
          ranks: 2)
      }
      let tensors = try world.adapter("shared")
      let head = tensors.filter { $0.key.contains("classifier.") }
      #expect(
        Set(head.keys.map { $0.split(separator: ".").suffix(2).joined(separator: ".") }) == [
          "dense.weight", "dense.bias", "out_proj.weight", "out_proj.bias",
        ])
      let count = head.values.reduce(0) { $0 + $1.count }
      let (shared, frozen) = (try world.rounds("shared")[0].bytes, try world.rounds("frozen")[0].bytes)
      #expect(shared.logicalUp - frozen.logicalUp == 7 * 4 * count)
      #expect(shared.logicalDown - frozen.logicalDown == 7 * 4 * count)
    }

    @Test(arguments: kinds) func aggregatedWithItselfAnAdapterStaysWhatItIs(kind: Kind) throws {
      let world = try TinyWorld(encoder: kind.model)
      try run(world, "run", kind.settings, ranks: 2)
      let job = try world.florana(
        ["aggregate", "--method", "fedit", "--output", "merged", "run/adapter", "run/adapter"], ranks: 2)
      #expect(job.status == 0, "\(job.standardError)")
      let (own, merged) = (
        try metrics(world, ["--model", "model", "--adapter", "run/adapter"], ranks: nil),
        try metrics(world, ["--model", "model", "--adapter", "merged"], ranks: nil)
      )
      #expect(own.accuracy == merged.accuracy && abs(own.loss - merged.loss) < 1e-6)
    }

    @Test(arguments: kinds) func theStepIsTimed(kind: Kind) throws {
      let world = try TinyWorld(encoder: kind.model)
      let step = [
        "benchmark", "step", "--model", "model", "--batch", "2", "--steps", "2", "--json", "--length",
      ]
      let job = try world.florana(step + ["40"], ranks: nil)
      #expect(job.status == 0 && job.standardOutput.contains("\"tokens\":160"), "\(job.standardError)")
      let tooLong = try world.florana(step + ["143"], ranks: nil)
      #expect(tooLong.status != 0 && tooLong.standardError.contains("(the model's positions), found 143"))
    }

    @Test func targetsOfAnotherKindAreNamed() throws {
      let job = try TinyWorld(encoder: "tiny-mpnet").simulate("run", ranks: nil)
      #expect(job.status == 2 && job.standardError.contains("adapter.targets"), "\(job.standardError)")
      #expect(job.standardError.contains("intermediate.dense"), "\(job.standardError)")
    }
  }
}
