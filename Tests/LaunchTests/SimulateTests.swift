import Adapters
import Aggregation
import Configuration
import Foundation
import Telemetry
import LaunchSupport
import TestSupport
import Testing

@testable import Simulation

extension LaunchTests {
  @Suite(.serialized) struct SimulateTests {
    private let world: TinyWorld

    init() throws { world = try TinyWorld() }

    @Test(arguments: [
      [], ["method.name=florana-matrix", "clients.participation=0.6", "clients.weighting=uniform"],
      ["adapter.head=local", "training.optimizer-state=keep", "method.name=fedit"],
      [
        "adapter.head=frozen", "training.steps=null", "training.epochs=1", "training.optimizer=sgd",
        "training.schedule=linear", "training.warm-up=2", "training.clip-norm=0",
      ],
    ])
    func theNumberOfRanksAndThePlacementChangeNoBit(settings: [String]) throws {
      let reference = try world.simulate("one", settings, ranks: nil)
      #expect(reference.status == 0, "\(reference.standardError)")
      let expected = try world.results("one")
      #expect(expected.count == 2 && expected.allSatisfy { $0.global != nil && $0.oracle != nil })
      for (ranks, placement) in [(2, "block"), (3, "block"), (4, "block"), (3, "cyclic")] {
        let output = "\(ranks)-\(placement)"
        let job = try world.simulate(output, settings + ["clients.placement=\(placement)"], ranks: ranks)
        #expect(job.status == 0, "\(job.standardError)")
        #expect(try world.adapterHash(output) == world.adapterHash("one"), "\(output)")
        #expect(try world.results(output) == expected, "\(output)")
        #expect(try world.layers(output) == world.layers("one"), "\(output)")
      }
    }

    @Test func theWrittenConfigurationGivesTheSameBytes() throws {
      #expect(try world.simulate("first", ["training.rounds=1", "seed=9"], ranks: 2).status == 0)
      let again = try world.florana(["simulate", "first/config.yaml", "--output", "second"], ranks: 2)
      #expect(again.status == 0, "\(again.standardError)")
      #expect(try world.adapterHash("first") == world.adapterHash("second"))
      #expect(try world.text("first/config.yaml") == world.text("second/config.yaml"))
      #expect(try world.simulate("third", ["training.rounds=1", "seed=10"], ranks: 2).status == 0)
      #expect(try world.adapterHash("first") != world.adapterHash("third"))
    }

    @Test func aRunLeavesItsFiles() throws {
      let job = try world.simulate("run", ranks: 3)
      #expect(job.status == 0, "\(job.standardError)")
      for file in [
        "config.yaml", "environment.json", "rounds.jsonl", "layers.jsonl", "phases.csv", "partition.csv",
        "summary.json", "adapter/adapter_config.json", "adapter/adapter_model.safetensors",
      ] { #expect(FileManager.default.fileExists(atPath: world.folder.path + "/run/" + file), "\(file)") }
      let summary = try JSONDecoder().decode(RunSummary.self, from: Data(world.text("run/summary.json").utf8))
      #expect(try summary.adapterSHA256 == world.adapterHash("run"))
      #expect(summary.rounds == 2 && summary.last?.round == 2)
      // Seven clients on three ranks, four of them not on rank 0; two rounds.
      let perClient = summary.bytes.logicalUp / 14
      #expect(summary.bytes.logicalDown == summary.bytes.logicalUp)
      #expect(summary.bytes.gathered == 8 * perClient && summary.bytes.broadcast == 4 * perClient)
      #expect(job.standardOutput.contains("round 1/2") && job.standardOutput.contains("closed gap"))
      #expect(!job.standardOutput.contains("\u{1B}"), "control characters off a terminal")
    }

    @Test func quietPrintsTheResultAlone() throws {
      let job = try world.florana(["simulate", "tiny.yaml", "--output", "run", "--quiet"], ranks: 2)
      #expect(job.status == 0)
      #expect(job.standardOutput.split(whereSeparator: \.isNewline).count == 1)
      #expect(job.standardOutput.hasPrefix("results: run"))
    }

    @Test func trainingLearnsAndRhoLiesBetweenItsEnds() throws {
      let settings = [
        "training.rounds=4", "training.steps=40", "training.learning-rate=5e-3", "adapter.dropout=0",
        "data.partition={kind: iid}",
      ]
      #expect(try world.simulate("run", settings, ranks: 2).status == 0)
      let rounds = try world.rounds("run")
      #expect(try #require(rounds.last?.global).accuracy > 0.6, "three labels, a third is chance")
      #expect(try #require(rounds.last).trainLoss < rounds[0].trainLoss)
      for layer in try world.layers("run") {
        #expect(try #require(layer.rho) <= #require(layer.rhoFedIT))
        #expect(try #require(layer.rho) >= #require(layer.rhoOptimum) * (1 - 1e-9))
      }
    }

    /// A client that is first drawn in the second round has the head of the start, not one made of others'.
    @Test func localHeadsStayWithTheirClients() throws {
      let settings = [
        "adapter.head=local", "clients.count=2", "clients.participation=0.5", "data.partition={kind: iid}",
        "method.name=fedit", "seed=1",
      ]
      for rounds in 1...2 {
        let job = try world.simulate("\(rounds)", settings + ["training.rounds=\(rounds)"], ranks: 2)
        #expect(job.status == 0, "\(job.standardError)")
      }
      var configuration = try RunConfiguration.load(path: world.folder.path + "/2/config.yaml")
      configuration.model.path = world.model
      configuration.data.path = world.data
      let experiment = try Experiment(configuration)
      let cohorts = try world.rounds("2").map(\.clients)
      try #require(cohorts[0] != cohorts[1] && cohorts[1].count == 1)
      var global = try PEFTAdapter.read(
        folder: world.folder.path + "/1/adapter", layout: experiment.layout)
      global.head = experiment.start.head
      var memory = ClientMemory()
      let expected = ClientTrainer(experiment).train(
        cohorts[1][0], from: global, plan: RoundPlan(.bothFactors, layout: experiment.layout),
        round: 2, memory: &memory)
      let found = try PEFTAdapter.read(folder: world.folder.path + "/2/adapter", layout: experiment.layout)
      #expect(found.head == expected.parameters.head)
    }

    @Test func theOracleOfOneClientIsItsModel() throws {
      #expect(try world.simulate("run", ["clients.count=1", "method.name=fedit"], ranks: 2).status == 0)
      for round in try world.rounds("run") {
        let (global, oracle) = (try #require(round.global), try #require(round.oracle))
        #expect(abs(global.loss - oracle.loss) < 1e-6 && global.accuracy == oracle.accuracy)
        #expect(try #require(round.rho) < 1e-12)
      }
    }

    @Test func theMatrixFormReachesTheOptimum() throws {
      #expect(try world.simulate("run", ["method.name=florana-matrix"], ranks: 2).status == 0)
      for layer in try world.layers("run") {
        let optimum = try #require(layer.rhoOptimum)
        #expect(try abs(#require(layer.rho) - optimum) <= 1e-5 * optimum + 1e-7)
      }
    }

    @Test func evaluateGivesTheRunsOwnMetrics() throws {
      #expect(try world.simulate("run", ranks: 2).status == 0)
      let job = try world.florana(
        [
          "evaluate", "--model", "model", "--data", "data", "--adapter", "run/adapter", "--batch", "16",
          "--predictions", "rows.jsonl",
        ], ranks: 3)
      #expect(job.status == 0, "\(job.standardError)")
      let metrics = try JSONDecoder().decode(Metrics.self, from: Data(job.standardOutput.utf8))
      #expect(try metrics == world.rounds("run").last?.global)
      let lines = try world.text("rows.jsonl").split(separator: "\n")
      #expect(lines.count == 60 && lines[7].hasPrefix(#"{"row":7,"logits":["#))
    }
  }
}
