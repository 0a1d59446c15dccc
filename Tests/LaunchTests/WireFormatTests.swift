import Foundation
import HalfPrecision
import LaunchSupport
import Telemetry
import TestSupport
import Testing

extension LaunchTests {
  /// Messages of 16 bits a number: half the bytes, and the same bits wherever clients and servers are.
  @Suite(.serialized) struct WireFormatTests {
    private let world: TinyWorld

    init() throws { world = try TinyWorld() }

    private func run(_ settings: [String], ranks: Int?, output: String) throws {
      let job = try world.simulate(output, settings, ranks: ranks)
      #expect(job.status == 0, "\(settings): \(job.standardError)")
    }

    private func halved(_ bytes: ByteCounts) -> ByteCounts {
      ByteCounts(
        logicalUp: bytes.logicalUp / 2, logicalDown: bytes.logicalDown / 2, gathered: bytes.gathered / 2,
        broadcast: bytes.broadcast / 2)
    }

    /// With all seven clients a change of the base weights comes dense, with four of them as factors.
    @Test(arguments: [
      (["method.name=fedit"], "bf16"), (["method.name=florana"], "f16"), (["method.name=flora"], "bf16"),
      (["method.name=fedex-lora"], "f16"),
      (["method.name=fedex-lora", "clients.participation=0.6"], "bf16"), (["method.name=fed-sb"], "bf16"),
      (["method.name=fedsa-lora", "adapter.head=local"], "f16"), (["method.name=rolora"], "bf16"),
      (["method.name=florana-matrix", "adapter.rank=[4, 1, 2, 2, 3, 4, 1]"], "bf16"),
      (["method.name=hetlora", "adapter.rank=[4, 1, 2, 2, 3, 4, 1]", "adapter.head=frozen"], "f16"),
    ])
    func theBytesAreHalfAndTheBitsTheSameEverywhere(settings: [String], wire: String) throws {
      let rounded = settings + ["server.wire=\(wire)"]
      try run(settings, ranks: 3, output: "f32")
      try run(rounded, ranks: nil, output: "one")
      let whole = try world.rounds("f32").map(\.bytes)
      #expect(whole.allSatisfy { $0.gathered > 0 && $0.broadcast > 0 })
      for (mode, placement) in [("root", "block"), ("pipelined", "block"), ("sharded", "cyclic")] {
        let others = ["server.mode=\(mode)", "clients.placement=\(placement)"]
        try run(rounded + others, ranks: 3, output: mode)
        #expect(try world.adapterHash(mode) == world.adapterHash("one"), "\(mode)")
        #expect(try world.baseHash(mode) == world.baseHash("one"), "\(mode)")
        #expect(try world.results(mode) == world.results("one"), "\(mode)")
        #expect(try world.layers(mode) == world.layers("one"), "\(mode)")
        let found = try world.rounds(mode).map(\.bytes)
        #expect(found.map(\.logicalDown) == whole.map { $0.logicalDown / 2 })
        // Where all are served and by whom decides what crosses between ranks.
        if mode != "sharded" { #expect(found == whole.map(halved)) }
      }
      #expect(try world.results("one").map(\.rho) != world.results("f32").map(\.rho))
    }

    /// What all clients hold after a round is what a message can carry, to the last bit.
    @Test(arguments: ["bf16", "f16"]) func whatIsHeldIsWhatWasSent(wire: String) throws {
      for ranks in [1, 2] {
        let output = "on-\(ranks)"
        try run(["method.name=florana", "server.wire=\(wire)"], ranks: ranks, output: output)
        for (name, values) in try world.adapter(output) {
          #expect(values.isAsCarried(by: wire), "\(name)")
        }
      }
      #expect(try world.text("on-2/config.yaml").contains("  wire: \(wire)\n"))
    }

    /// ρ sees the rounding of what the server sends, and only that: plain averaging is no longer exactly itself.
    @Test func rhoIsThatOfThePairAsItWasSent() throws {
      try run(["method.name=fedit"], ranks: 2, output: "f32")
      try run(["method.name=fedit", "server.wire=bf16"], ranks: 2, output: "bf16")
      for layer in try world.layers("f32") { #expect(layer.rho == layer.rhoFedIT) }
      for layer in try world.layers("bf16") {
        let (rho, rhoFedIT) = (try #require(layer.rho), try #require(layer.rhoFedIT))
        #expect(rho != rhoFedIT && abs(rho - rhoFedIT) < 0x1p-6)
      }
      // An exact method is exact but for the rounding of its change.
      try run(["method.name=flora", "server.wire=bf16"], ranks: 2, output: "exact")
      for round in try world.rounds("exact") {
        let rho = try #require(round.rho)
        #expect(rho > 0x1p-12 && rho < 0x1p-7, "\(rho)")
      }
    }

    @Test func whatDoesNotFitIsAnErrorThatNamesClientAndLayer() throws {
      let settings = [
        "method.name=fedit", "training.optimizer=sgd", "training.learning-rate=1e6", "training.steps=1",
        "training.rounds=1",
      ]
      let job = try world.simulate("run", settings + ["server.wire=f16"], ranks: 2)
      let reports = job.reports("florana: ")
      #expect(job.status == 1 && reports.count == 1, "\(job.standardError)")
      for part in ["server.wire: round 1, client ", "65520", "which f16 carries", "f32 or bf16 carries it"] {
        #expect(reports.first?.contains(part) == true, "\(reports)")
      }
      #expect(reports.first?.contains("lora_") == true || reports.first?.contains("the head") == true)
      try run(settings + ["server.wire=bf16"], ranks: 2, output: "wide")
    }

    @Test func aPredictionHasTheBytesOfTheRunsWire() throws {
      let prediction = ["predict", "run", "--network", "1gbe", "--method", "florana", "--json"]
      func bytes(_ wire: String) throws -> Double {
        try run(["server.wire=\(wire)", "evaluate.oracle=false"], ranks: 2, output: "run")
        let job = try world.florana(prediction, ranks: nil)
        #expect(job.status == 0, "\(job.standardError)")
        let object = try JSONSerialization.jsonObject(with: Data(job.standardOutput.utf8))
        let methods = try #require((object as? [String: Any])?["methods"] as? [[String: Any]])
        return try #require(methods[0]["upBytesPerClient"] as? Double)
      }
      let whole = try bytes("f32")
      try FileManager.default.removeItem(atPath: world.folder.path + "/run")
      #expect(try bytes("bf16") == whole / 2)
    }
  }
}

extension [Float] {
  /// Whether a message of 16 bits a number carries each as it is, and not only because all are small.
  func isAsCarried(by wire: String) -> Bool {
    let half: any HalfFloat.Type = wire == "bf16" ? BFloat16.self : Binary16.self
    return allSatisfy { half.init($0).float == $0 } && contains { abs($0) >= 0x1p-14 }
  }
}
