import Adapters
import Configuration
import Foundation
import LaunchSupport
import Telemetry
import TestSupport
import Testing

extension LaunchTests {
  /// Every method through a whole run.
  @Suite(.serialized) struct MethodTests {
    private let world: TinyWorld

    init() throws { world = try TinyWorld() }

    private func run(_ method: String, _ settings: [String] = [], ranks: Int?, output: String) throws {
      let job = try world.simulate(output, settings + ["method.name=\(method)"], ranks: ranks)
      #expect(job.status == 0, "\(method): \(job.standardError)")
    }

    @Test(arguments: RunConfiguration.Method.Name.allCases)
    func theNumberOfRanksChangesNoBit(method: RunConfiguration.Method.Name) throws {
      let settings = ["training.rounds=3", "clients.participation=0.6"]
      try run(method.rawValue, settings, ranks: nil, output: "one")
      try run(method.rawValue, settings, ranks: 3, output: "three")
      #expect(try world.adapterHash("one") == world.adapterHash("three"))
      #expect(try world.baseHash("one") == world.baseHash("three"))
      let (one, three) = (try world.rounds("one"), try world.rounds("three"))
      #expect(one.map(\.global) == three.map(\.global) && one.map(\.rho) == three.map(\.rho))
      #expect(one.map(\.personalised) == three.map(\.personalised))
      #expect(one.allSatisfy { $0.global?.loss.isFinite == true })
    }

    /// The first round's clients are the same for all these methods, so that what an exact method evaluates
    /// is the oracle of plain averaging.
    @Test(arguments: ["flora", "fedex-lora", "ideal"])
    func exactMethodsAreTheOracle(method: String) throws {
      try run("fedit", ranks: 2, output: "plain")
      try run(method, ranks: 2, output: "exact")
      let (plain, exact) = (try world.rounds("plain"), try world.rounds("exact"))
      let (oracle, found) = (try #require(plain[0].oracle), try #require(exact[0].global))
      #expect(abs(oracle.loss - found.loss) < 1e-5 && oracle.accuracy == found.accuracy)
      #expect(try #require(plain[0].global).loss != oracle.loss)
      #expect(try #require(exact[0].rho) < 1e-6 && exact[0].oracle == exact[0].global)
      // The second round trains on the changed base weights.
      #expect(try #require(exact[1].rho) < 1e-6 && exact[1].trainLoss != plain[1].trainLoss)
    }

    /// What a method did to the base weights is left too, and belongs to the adapter beside it.
    @Test(arguments: ["flora", "fedex-lora", "ideal"])
    func theChangedBaseModelIsLeft(method: String) throws {
      try run(method, ranks: 2, output: "run")
      let arguments = ["evaluate", "--data", "data", "--adapter", "run/adapter", "--batch", "16"]
      func metrics(_ model: String) throws -> Metrics {
        let job = try world.florana(arguments + ["--model", model], ranks: 3)
        #expect(job.status == 0, "\(job.standardError)")
        return try JSONDecoder().decode(Metrics.self, from: Data(job.standardOutput.utf8))
      }
      let expected = try world.rounds("run").last?.global
      #expect(try metrics("run/base") == expected)
      let refused = try world.florana(arguments + ["--model", "model"], ranks: nil)
      #expect(refused.status == 2 && refused.standardError.contains("/run/base, found model"))
      let summary = try JSONDecoder().decode(RunSummary.self, from: Data(world.text("run/summary.json").utf8))
      let hash = try SHA256.hexDigest(ofFileAt: world.folder.path + "/run/base/model.safetensors")
      #expect(summary.baseSHA256 == hash)
      #expect(try PEFTConfiguration(folder: world.folder.path + "/run/adapter").baseModel == "./base")
      // Where it is not beside the adapter any more, nothing is known of the model.
      try FileManager.default.moveItem(
        atPath: world.folder.path + "/run/base", toPath: world.folder.path + "/base")
      #expect(try metrics("base") == expected && metrics("model") != expected)
      try run("fedit", ["training.rounds=1"], ranks: nil, output: "plain")
      #expect(!FileManager.default.fileExists(atPath: world.folder.path + "/plain/base"))
    }

    /// One client has nothing that averages miss: the residual has no factors at all.
    @Test func oneClientHasNoResidual() throws {
      let settings = ["clients.count=1", "data.partition={ kind: iid }"]
      try run("fedex-lora", settings, ranks: 2, output: "residual")
      try run("fedit", settings, ranks: 2, output: "plain")
      let (residual, plain) = (try world.rounds("residual"), try world.rounds("plain"))
      #expect(residual.map(\.global) == plain.map(\.global) && residual[0].bytes == plain[0].bytes)
    }

    @Test func methodsThatSendOneFactorSendHalf() throws {
      let methods = ["fedit", "ffa-lora", "fedsa-lora", "flora", "fed-sb"]
      for method in methods { try run(method, ranks: 2, output: method) }
      let bytes = try methods.map { try world.rounds($0)[0].bytes }
      // Rank 4 on query, value and attention output (32×32) and output (32×64) of two blocks; a head of 99.
      let (head, a, b, core) = (99, 2 * 4 * (3 * 32 + 64), 2 * 4 * (4 * 32), 2 * 4 * (4 * 4))
      let down = [head + a + b, head + b, head + a, head + 7 * (a + b), head + core]
      let up = [head + a + b, head + b, head + a, head + a + b, head + core]
      #expect(bytes.map(\.logicalUp) == up.map { $0 * 4 * 7 })
      #expect(bytes.map(\.logicalDown) == down.map { $0 * 4 * 7 })
    }

    @Test(arguments: ["shared", "local", "frozen"]) func fedSBTrainsUnderEveryHead(head: String) throws {
      let settings = ["adapter.head=\(head)", "training.steps=10", "training.learning-rate=5e-3"]
      for (ranks, output) in [(1, "one"), (3, "three")] {
        try run("fed-sb", settings, ranks: ranks, output: output)
      }
      #expect(try world.adapterHash("one") == world.adapterHash("three"))
      let (one, three) = (try world.rounds("one"), try world.rounds("three"))
      #expect(one.map(\.global) == three.map(\.global))
      for round in one {
        let (global, oracle) = (try #require(round.global), try #require(round.oracle))
        #expect(abs(global.loss - oracle.loss) < 1e-5 && global.accuracy == oracle.accuracy)
        #expect(try #require(round.rho) < 1e-6)
        #expect(round.bytes.logicalUp == 7 * 4 * (8 * 16 + (head == "shared" ? 99 : 0)))
      }
      #expect(one[1].trainLoss < one[0].trainLoss)
    }

    /// The adapter of a run is a plain pair of factors: the product of core and A, and B.
    @Test func fedSBsAdapterIsTheModelThatWasEvaluated() throws {
      try run("fed-sb", ["training.learning-rate=2e-2"], ranks: 2, output: "run")
      let adapter = try world.adapter("run")
      #expect(adapter.keys.allSatisfy { $0.contains("lora_") || $0.contains("classifier") })
      #expect(adapter.filter { $0.key.contains("lora_A") }.values.allSatisfy { $0.contains { $0 != 0 } })
      let job = try world.florana(
        ["evaluate", "--model", "model", "--data", "data", "--adapter", "run/adapter", "--batch", "16"],
        ranks: 2)
      #expect(job.status == 0, "\(job.standardError)")
      let found = try JSONDecoder().decode(Metrics.self, from: Data(job.standardOutput.utf8))
      let expected = try #require(try world.rounds("run").last?.global)
      #expect(found.accuracy == expected.accuracy && abs(found.loss - expected.loss) < 1e-5)
    }

    /// Clients of four adapter ranks, on two ranks and on one.
    @Test(arguments: ["flexlora", "hetlora", "flora", "florana-matrix"])
    func clientsOfDifferentAdapterRanksTrainTogether(method: String) throws {
      let settings = ["adapter.rank=[4, 1, 2, 2, 3, 4, 1]", "training.rounds=3", "clients.participation=0.6"]
      try run(method, settings, ranks: nil, output: "one")
      try run(method, settings + ["clients.placement=cyclic"], ranks: 3, output: "three")
      #expect(try world.adapterHash("one") == world.adapterHash("three"))
      #expect(try world.rounds("one").map(\.global) == world.rounds("three").map(\.global))
      // Adapter ranks of the first round's four clients; N₁ floats a rank, a head of 99.
      let first = try world.rounds("one")[0]
      let ranks = first.clients.map { [4, 1, 2, 2, 3, 4, 1][$0] }
      let (unit, total) = (2 * (3 * 64 + 96), ranks.reduce(0, +))
      #expect(first.bytes.logicalUp == 4 * (99 * ranks.count + unit * total))
      let down = method == "flora" ? ranks.count * total : total
      #expect(first.bytes.logicalDown == 4 * (99 * ranks.count + unit * down))
      guard method == "florana-matrix" else { return }
      for layer in try world.layers("one") {
        let (rho, optimum) = (try #require(layer.rho), try #require(layer.rhoOptimum))
        #expect(try #require(layer.rhoFedIT) > rho && rho <= optimum * (1 + 1e-5) + 1e-7)
      }
    }

    /// The stacked factors of clients of different ranks and scalings are the ideal update.
    @Test func theIdealUpdateOfDifferentAdapterRanksIsExact() throws {
      let settings = ["adapter.rank={ 0-2: 4, 3-4: 1, 5-6: 2 }"]
      try run("florana-matrix", settings, ranks: 2, output: "optimum")
      try run("flora", settings, ranks: 2, output: "exact")
      let (optimum, exact) = (try world.rounds("optimum"), try world.rounds("exact"))
      let (oracle, found) = (try #require(optimum[0].oracle), try #require(exact[0].global))
      #expect(abs(oracle.loss - found.loss) < 1e-5 && oracle.accuracy == found.accuracy)
      #expect(try #require(optimum[0].global).loss != oracle.loss)
      #expect(try world.text("exact/config.yaml").contains("    0-2: 4\n    3-4: 1\n    5-6: 2\n"))
    }

    /// One adapter rank, written as a list, is the same run.
    @Test func equalRanksInAListChangeNoBit() throws {
      try run("florana", ranks: 2, output: "number")
      try run("florana", ["adapter.rank=[4, 4, 4, 4, 4, 4, 4]"], ranks: 2, output: "list")
      #expect(try world.adapterHash("number") == world.adapterHash("list"))
    }

    @Test func whatIsFrozenStays() throws {
      try run("ffa-lora", ["training.rounds=1"], ranks: 2, output: "one")
      try run("ffa-lora", ["training.rounds=2"], ranks: 2, output: "two")
      try run("rolora", ["training.rounds=1"], ranks: 2, output: "odd")
      try run("rolora", ["training.rounds=2"], ranks: 2, output: "even")
      func tensors(_ output: String, _ factor: String) throws -> [String: [Float]] {
        try world.adapter(output).filter { $0.key.contains("lora_\(factor)") }
      }
      #expect(try tensors("one", "A") == tensors("two", "A") && tensors("one", "B") != tensors("two", "B"))
      #expect(try tensors("odd", "B") == tensors("even", "B") && tensors("odd", "A") != tensors("even", "A"))
    }
  }
}
