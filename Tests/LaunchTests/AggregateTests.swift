import Adapters
import Aggregation
import Foundation
import LaunchSupport
import LinearAlgebra
import Safetensors
import TestSupport
import Testing

extension LaunchTests {
  @Suite(.serialized) struct AggregateTests {
    let world: TinyWorld

    init() throws { world = try TinyWorld() }

    /// All whose result is one adapter, and those of them that take clients of different adapter ranks.
    private static let rules = AggregationRules.all.filter { $0.wirePlan(round: 1) == .bothFactors }
    static let methods = rules.map(\.name)
    static let mixingMethods = rules.filter { $0.reasonForOneAdapterRank == nil }.map(\.name)

    private static let golden = URL(filePath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().appending(path: "TransformerTests/Golden/tiny").path

    /// Writes an adapter of two layers, 6×10 and 10×3, and a head; numbers follow from `seed`.
    @discardableResult func make(
      _ name: String, seed: Int, settings: String = "", rank: Int = 3, alpha: Double = 6,
      layers: [(String, Int, Int)] = [("h.0.q", 6, 10), ("h.0.v", 10, 3)], bad: Float? = nil,
      hasHead: Bool = true
    ) throws -> String {
      let path = world.folder.path + "/" + name
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
      let comma = settings.isEmpty ? "" : ","
      try Data(
        """
        {"peft_type":"LORA","r":\(rank),"lora_alpha":\(alpha),"target_modules":["q","v"],
        "modules_to_save":["score"]\(comma)\(settings)}
        """.utf8
      ).write(to: URL(filePath: path + "/adapter_config.json"))
      var writer = SafetensorsWriter()
      func add(_ name: String, _ shape: [Int], _ phase: Int) {
        var values = (0..<shape.reduce(1, *)).map { sin(Float($0 * 7 + 13 * seed + phase)) }
        if let bad, phase == 1 { values[2] = bad }
        writer.add(name: "base_model.model." + name, shape: shape, floats: values)
      }
      for (layer, outputs, inputs) in layers {
        add(layer + ".lora_A.weight", [rank, inputs], 0)
        add(layer + ".lora_B.weight", [outputs, rank], 1)
      }
      if hasHead { add("score.weight", [2, 4], 2) }
      try writer.write(to: path + "/adapter_model.safetensors")
      return name
    }

    func aggregate(
      _ adapters: [String], method: String = "fedit", output: String = "out", _ options: [String] = [],
      ranks: Int? = nil
    ) throws -> Job.Outcome {
      try world.florana(
        ["aggregate", "--method", method, "--output", output] + adapters + options, ranks: ranks)
    }

    func folder(_ name: String) throws -> PEFTFolder {
      try PEFTFolder(path: world.folder.path + "/" + name)
    }

    /// `scaling · B A` of every layer, by plain loops in Float64.
    func changes(_ name: String) throws -> [[Double]] { try changes(of: folder(name)) }

    private func changes(of adapter: PEFTFolder) throws -> [[Double]] {
      try adapter.layers.map { layer in
        let (a, b) = try adapter.factors(of: layer)
        return (0..<layer.outputs).flatMap { row in
          (0..<layer.inputs).map { column in
            layer.scaling
              * (0..<layer.adapterRank).reduce(0) { $0 + Double(b[row, $1]) * Double(a[$1, column]) }
          }
        }
      }
    }

    private func expectClose(
      _ found: [[Double]], _ expected: [[Double]], sourceLocation: SourceLocation = #_sourceLocation
    ) {
      for (found, expected) in zip(found, expected) {
        let error = zip(found, expected).map { abs($0 - $1) }.max()!
        #expect(error < 1e-5 * expected.map(abs).max()!, sourceLocation: sourceLocation)
      }
    }

    @Test func theMethodsWithOneAdapterAreThese() {
      #expect(
        Self.methods == ["fedit", "florana", "florana-matrix", "flexlora", "hetlora", "lora-fair"])
      #expect(Self.mixingMethods == ["florana-matrix", "flexlora", "hetlora"])
    }

    @Test(arguments: methods)
    func oneAdapterComesOutAsItWentIn(method: String) throws {
      let adapter = Self.golden + "/adapter-all"
      let job = try aggregate([adapter], method: method)
      #expect(job.status == 0, "\(job.standardError)")
      expectClose(try changes("out"), try changes(of: PEFTFolder(path: adapter)))
      #expect(
        try world.text("out/adapter_config.json") == text(ofFileAt: adapter + "/adapter_config.json"))
    }

    @Test func averagingIsTheMeanOfFactorsAndHeads() throws {
      let names = try [make("x", seed: 1), make("y", seed: 2), make("z", seed: 3)]
      #expect(try aggregate(names, ["--weights", "3,5,2"]).status == 0)
      let (output, inputs) = (try folder("out"), try names.map(folder))
      for layer in output.layers {
        let mean = try zip(inputs, [0.3, 0.5, 0.2]).map { input, weight in
          try input.factors(of: input[layer.name]!).b.elements.map { weight * Double($0) }
        }.reduce([Double](repeating: 0, count: layer.outputs * 3)) { zip($0, $1).map(+) }
        #expect(try output.factors(of: layer).b.elements == mean.map { Float($0) })
      }
      let heads = try inputs.map { try $0.values(of: $0.savedTensors[0]) }
      let head = try output.values(of: output.savedTensors[0])
      for (index, value) in head.enumerated() {
        let expected = 0.3 * heads[0][index] + 0.5 * heads[1][index] + 0.2 * heads[2][index]
        #expect(abs(value - expected) < 1e-6)
      }
    }

    @Test(arguments: methods) func scalingsAreFoldedIn(method: String) throws {
      // One product under three scalings: 2, 5 and 6/√3; the mean of the changes is exact.
      let names = try [
        make("x", seed: 1), make("y", seed: 1, alpha: 15),
        make("z", seed: 1, settings: #""use_rslora":true"#),
      ]
      let job = try aggregate(names, method: method, ["--weights", "1,2,1"])
      #expect(job.status == 0, "\(job.standardError)")
      let scalings = [2, 5, 6 / 3.0.squareRoot()]
      // HetLoRA weighs by the norms of the changes, here the scalings.
      let weights = method == "hetlora" ? scalings.map { $0 / scalings.reduce(0, +) } : [0.25, 0.5, 0.25]
      let factor = zip(weights, scalings).reduce(0) { $0 + $1.0 * $1.1 } / 2
      expectClose(try changes("out"), try changes("x").map { $0.map { factor * $0 } })
      #expect(try folder("out").layers.allSatisfy { $0.scaling == 2 })
    }

    @Test(arguments: methods) func differentAdapterRanksStackWhereTheMethodAllowsIt(method: String) throws {
      let names = try [make("x", seed: 1, rank: 1, alpha: 2), make("y", seed: 2, rank: 3)]
      guard Self.mixingMethods.contains(method) else {
        return try expectRefusal(names, method: method, [method, "1 in x", "3 in y", "h.0.q"])
      }
      for (output, ranks) in [("one", nil), ("two", 2)] {
        let job = try aggregate(names, method: method, output: output, ranks: ranks)
        #expect(job.status == 0, "\(job.standardError)")
        #expect(try folder(output).layers.allSatisfy { $0.adapterRank == 3 && $0.scaling == 2 })
      }
      try expectSameAdapter("two", as: "one")
    }

    func expectSameAdapter(
      _ output: String, as expected: String, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
      for file in ["adapter_model.safetensors", "adapter_config.json"] {
        let bytes = try Data(contentsOf: world.folder.appending(path: output + "/" + file))
        #expect(
          try bytes == Data(contentsOf: world.folder.appending(path: expected + "/" + file)),
          sourceLocation: sourceLocation)
      }
    }

    @Test(arguments: methods)
    func theNumberOfRanksChangesNoBit(method: String) throws {
      let layers = (0..<5).map { ("h.\($0).q", 6 + $0, 10) }
      let names = try (0..<4).map { try make("a\($0)", seed: $0, layers: layers) }
      for (output, ranks) in [("one", nil), ("two", 2), ("three", 3)] {
        let options = ["--json", output + ".json"]
        let job = try aggregate(names, method: method, output: output, options, ranks: ranks)
        #expect(job.status == 0, "\(job.standardError)")
        try expectSameAdapter(output, as: "one")
        let figures = try world.text(output + ".json").replacing("\"\(output)\"", with: "\"one\"")
        #expect(try figures == world.text("one.json"))
        #expect(job.standardOutput.split(whereSeparator: \.isNewline).count == 7)
      }
      let figures = try JSONDecoder().decode(Figures.self, from: Data(world.text("one.json").utf8))
      #expect(figures.rhoOptimum <= figures.rho * (1 + 1e-6))
      // The norms by which HetLoRA weighs are no step towards the mean of the products.
      #expect(method == "hetlora" || figures.rho <= figures.rhoFedIT)
      #expect(figures.layers.count == 5)
    }

    struct Figures: Decodable {
      struct Layer: Decodable { let rho: Double }
      let rho, rhoFedIT, rhoOptimum: Double
      let closedGap: Double?
      let layers: [Layer]
    }

    func expectRefusal(
      _ adapters: [String], method: String = "fedit", _ parts: [String], options: [String] = [],
      ranks: Int? = nil, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
      let job = try aggregate(adapters, method: method, output: "refused", options, ranks: ranks)
      #expect(job.status == 2, sourceLocation: sourceLocation)
      let reports = job.reports("florana: ")
      #expect(reports.count == 1, "\(job.standardError)", sourceLocation: sourceLocation)
      for part in parts {
        #expect(reports.first?.contains(part) == true, "\(reports)", sourceLocation: sourceLocation)
      }
      #expect(!FileManager.default.fileExists(atPath: world.folder.path + "/refused"))
    }

    @Test func adaptersThatDoNotFitAreRefusedByName() throws {
      try make("x", seed: 1)
      try make("fewer", seed: 2, layers: [("h.0.q", 6, 10)])
      try make("wider", seed: 2, layers: [("h.0.q", 6, 10), ("h.0.v", 10, 4)])
      try make("dora", seed: 2, settings: #""use_dora":true"#)
      try make("headless", seed: 2, hasHead: false)
      try make("nan", seed: 2, bad: .nan)
      try expectRefusal(["x", "fewer"], ["fewer/", "h.0.v", "10×3", "none"], ranks: 2)
      try expectRefusal(["fewer", "x"], ["x/", "h.0.v", "10×3", "none"])
      try expectRefusal(["x", "wider"], ["wider/", "h.0.v", "10×3", "10×4"])
      try expectRefusal(["x", "dora"], ["dora/adapter_config.json", "use_dora"])
      try expectRefusal(["x", "headless"], ["headless/", "score.weight", "[2, 4]", "none"])
      try expectRefusal(["x", "nan"], ["nan/adapter_model.safetensors", "h.0.", "finite"], ranks: 3)
      try expectRefusal(["x", "nowhere"], ["nowhere/adapter_config.json"])
    }

    @Test func adaptersOfAnotherBaseAreRefused() throws {
      try make("x", seed: 1)
      try make("one", seed: 1, settings: #""base_model_name_or_path":"one""#)
      try make("two", seed: 2, settings: #""base_model_name_or_path":"two""#)
      try make("pissa", seed: 2, settings: #""init_lora_weights":"pissa""#)
      try expectRefusal(["x", "one", "two"], ["two/", "base_model_name_or_path", "\"one\"", "\"two\""])
      try expectRefusal(["x", "pissa"], ["pissa/", "init_lora_weights"])
      #expect(try aggregate(["x", "one"]).status == 0)
      // Each has a base model of its own beside it.
      for site in ["a", "b"] {
        try make(site + "/adapter", seed: 1, settings: #""base_model_name_or_path":"./base""#)
      }
      try expectRefusal(["a/adapter", "b/adapter"], ["base_model_name_or_path", "/a/base\"", "/b/base\""])
    }

    @Test func aTableThatCannotBeWrittenIsAnError() throws {
      let names = try [make("x", seed: 1), make("y", seed: 2)].joined(separator: " ")
      let line = "\(TinyWorld.program) aggregate --method fedit --output out \(names) >/dev/full"
      let job = try Job.run(["/bin/bash", "-c", line], ranks: nil, folder: world.folder)
      #expect(job.status == 1 && job.reports("florana: ").count == 1, "\(job.standardError)")
      #expect(job.reports("florana: ").first?.hasPrefix("standard output: ") == true)
    }

    @Test func badOptionsAreRefused() throws {
      let names = try [make("x", seed: 1), make("y", seed: 2)]
      try expectRefusal(names, method: "floran", ["floran", "fedit"])
      try expectRefusal(names, ["--weights", "2", "3"], options: ["--weights", "1,2,3"])
      try expectRefusal(names, ["--json", "none"], options: ["--json", "none/figures.json"])
      #expect(try aggregate(names, ["--weights", "1,0"]).status == 2)
      #expect(try aggregate(names, ["--weights", "1,x"]).status == 2)
      #expect(try aggregate(names).status == 0)
      let again = try aggregate(names, ranks: 2)
      #expect(again.status == 2 && again.standardError.contains("out: expected a folder without an adapter"))
    }
  }
}
