import Adapters
import Foundation
import LaunchSupport
import Telemetry
import TestSupport
import Testing

extension LaunchTests {
  /// Runs, evaluation and continuations of a decoder.
  @Suite(.serialized) struct GenerationTests {
    private let world: TinyWorld

    init() throws { world = try TinyWorld.generation() }

    private func run(_ settings: [String], ranks: Int?, output: String) throws {
      let job = try world.simulate(output, settings, ranks: ranks)
      #expect(job.status == 0, "\(settings): \(job.standardError)")
    }

    private func lines(_ arguments: [String], ranks: Int?, file: String, option: String) throws -> [String] {
      let job = try world.florana(
        arguments + ["--model", "model", "--data", "data", option, file], ranks: ranks)
      #expect(job.status == 0, "\(arguments): \(job.standardError)")
      return try world.text(file).split(separator: "\n").map { String($0) }
    }

    @Test(arguments: [["method.name=florana"], ["method.name=flora", "server.mode=sharded"]])
    func theRanksChangeNothing(settings: [String]) throws {
      for ranks in [nil, 2, 3] {
        try run(settings, ranks: ranks, output: "run-\(ranks ?? 1)")
        #expect(try world.adapterHash("run-\(ranks ?? 1)") == world.adapterHash("run-1"))
        #expect(try world.results("run-\(ranks ?? 1)") == world.results("run-1"))
      }
      let rounds = try world.rounds("run-1")
      #expect(rounds[1].trainLoss < rounds[0].trainLoss)
      for metrics in [rounds[1].global, rounds[1].oracle] {
        #expect((0...1).contains(try #require(metrics?.extras["expression"])))
      }
      #expect(rounds[1].personalised != nil)
    }

    @Test func theAdapterIsOneOfACausalModelAndEvaluatesAsInTheRun() throws {
      try run([], ranks: 2, output: "run")
      #expect(try PEFTConfiguration(folder: world.folder.path + "/run/adapter").task == .causalLanguageModel)
      let job = try world.florana(
        [
          "evaluate", "--model", "model", "--data", "data", "--adapter", "run/adapter", "--limit", "20",
          "--batch", "7", "--maximum-new-tokens", "4", "--predictions", "rows.jsonl",
        ], ranks: 2)
      #expect(job.status == 0, "\(job.standardError)")
      #expect(job.standardOutput == (try #require(world.rounds("run").last?.global)).json.line + "\n")
      let rows = try world.text("rows.jsonl").split(separator: "\n")
      #expect(rows.count == 20)
      #expect(rows[1].hasPrefix(#"{"row":1,"answer":""#) && rows[1].contains(#""isExact":"#))
    }

    @Test func continuationsDoNotDependOnBatchesAndRanks() throws {
      let alone = try lines(["generate", "--batch", "1"], ranks: nil, file: "a.jsonl", option: "--output")
      #expect(alone.count == 30)
      #expect(alone[2].hasPrefix(#"{"row":2,"tokens":["#) && alone[2].contains(#""text":""#))
      for (batch, ranks) in [("30", 1), ("4", 3)] {
        let found = try lines(
          ["generate", "--batch", batch], ranks: ranks, file: "\(batch).jsonl", option: "--output")
        #expect(found == alone)
      }
      #expect(
        try lines(["generate", "--limit", "3"], ranks: 2, file: "few.jsonl", option: "--output")
          == [alone[0], alone[10], alone[20]])
    }

    @Test func tasksThatDoNotFitAreRefused() throws {
      let classifier = try TinyWorld()
      let refusals: [(TinyWorld, [String], String)] = [
        (
          world, ["simulate", "tiny.yaml", "--set", "model.task=classification"],
          "model.task: expected generation, which the data in"
        ),
        (
          classifier, ["simulate", "tiny.yaml", "--set", "model.task=generation"],
          "model.task: expected classification, which the data in"
        ),
        (
          world, ["simulate", "tiny.yaml", "--set", "model.path=\(classifier.model)"],
          "config.json: model_type: expected a decoder"
        ),
        (
          classifier, ["generate", "--model", world.model, "--data", "data", "--output", "a.jsonl"],
          "data: expected data of task generation, with prompts; found classification"
        ),
        (
          world, ["simulate", "tiny.yaml", "--set", "adapter.head=shared"],
          "adapter.head: expected frozen, as a decoder has no classifier, found shared"
        ),
        (
          classifier, ["benchmark", "generate", "--model", "model"],
          "config.json: model_type: expected a decoder"
        ),
        (
          world, ["simulate", "tiny.yaml", "--set", "data.maximum-length=5"],
          "expected at most 5 tokens because rows of a generation task are not cut"
        ),
      ]
      for (world, arguments, message) in refusals {
        let job = try world.florana(arguments, ranks: nil)
        #expect(job.status == 2 && job.standardError.contains(message), "\(arguments): \(job.standardError)")
      }
    }
  }
}
