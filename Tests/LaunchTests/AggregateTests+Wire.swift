import Adapters
import Foundation
import LaunchSupport
import LinearAlgebra
import TestSupport
import Testing

/// What a wire of 16 bits costs, on adapters that are there.
extension LaunchTests.AggregateTests {
  private struct WireFigures: Decodable {
    struct Layer: Decodable { let rho, rhoF32: Double }
    let wire: String
    let rho, rhoF32, rhoFedIT: Double
    let closedGap: Double?
    let layers: [Layer]
  }

  /// One adapter is its own average: what is left is the rounding of its factors, at most half a unit in the
  /// last place of each number, and that of a quarter of one at the least in the mean.
  @Test(arguments: [("bf16", 0x1p-8), ("f16", 0x1p-11)])
  func theWireCostsItsRounding(wire: String, unit: Double) throws {
    try make("x", seed: 1, layers: [("h.0.q", 40, 50), ("h.0.v", 30, 60)])
    let job = try aggregate(["x"], ["--wire", wire, "--json", "out.json"], ranks: 2)
    #expect(job.status == 0, "\(job.standardError)")
    let figures = try JSONDecoder().decode(WireFigures.self, from: Data(world.text("out.json").utf8))
    #expect(figures.wire == wire && figures.layers.count == 2)
    let layers = figures.layers.map { ($0.rho, $0.rhoF32) } + [(figures.rho, figures.rhoF32)]
    for (index, (rho, rhoF32)) in layers.enumerated() {
      #expect(rhoF32 < 1e-7 && rho > unit / 4, "\(rho)")
      // ‖(B + dB)(A + dA) − B A‖ ≤ (2 u + u²) ‖B‖ ‖A‖ with ‖dB‖ ≤ u ‖B‖, ‖dA‖ ≤ u ‖A‖.
      guard index < 2 else { continue }
      let (a, b) = try folder("x").factors(of: folder("x").layers[index])
      func norm(_ values: [Float]) -> Double {
        values.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
      }
      let product = try changes("x")[index].reduce(0) { $0 + $1 * $1 }.squareRoot() / 2
      #expect(rho < (2 * unit + unit * unit) * norm(a.elements) * norm(b.elements) / product)
    }
    let output = try folder("out")
    for layer in output.layers {
      let (a, b) = try output.factors(of: layer)
      #expect((a.elements + b.elements).isAsCarried(by: wire))
    }
    #expect(job.standardOutput.contains("ρ f32"))
  }

  @Test func theWiresCostIsTheSameOnEveryNumberOfRanks() throws {
    let names = try (0..<3).map { try make("a\($0)", seed: $0, alpha: Double(6 + $0)) }
    for (output, ranks) in [("one", nil), ("three", 3)] {
      let options = ["--wire", "bf16", "--json", output + ".json"]
      let job = try aggregate(names, method: "florana", output: output, options, ranks: ranks)
      #expect(job.status == 0, "\(job.standardError)")
    }
    try expectSameAdapter("three", as: "one")
    #expect(try world.text("three.json").replacing("\"three\"", with: "\"one\"") == world.text("one.json"))
    #expect(try aggregate(names, method: "florana", output: "plain", ["--json", "plain.json"]).status == 0)
    func figures<Value: Decodable>(_ name: String, _ type: Value.Type) throws -> Value {
      try JSONDecoder().decode(type, from: Data(world.text(name).utf8))
    }
    let (sent, plain) = (try figures("one.json", WireFigures.self), try figures("plain.json", Figures.self))
    // What it is held against is the aggregate of the same adapters without rounding.
    #expect(abs(sent.rhoF32 - plain.rho) < 1e-12 && abs(sent.rhoFedIT - plain.rhoFedIT) < 1e-12)
    // The bounds are those of adapters that were not rounded: so is the gap between them.
    #expect(try abs(#require(sent.closedGap) - #require(plain.closedGap)) < 1e-6)
    #expect(sent.rho != plain.rho && abs(sent.rho - plain.rho) < 0x1p-6)
  }

  @Test func whatDoesNotFitTheWireIsRefusedByName() throws {
    try make("x", seed: 1)
    try make("large", seed: 2, bad: -7e4)
    try expectRefusal(
      ["x", "large"], ["--wire", "large/adapter_model.safetensors", "h.0.", "65520", "f16", "-70000"],
      options: ["--wire", "f16"], ranks: 3)
    try expectRefusal(
      ["x", "large"], ["--wire", "bf16x", "did you mean bf16?"], options: ["--wire", "bf16x"])
    #expect(try aggregate(["x", "large"], ["--wire", "bf16"]).status == 0)
  }
}
