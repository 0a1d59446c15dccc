import Adapters
import Foundation
import LinearAlgebra
import Safetensors
import TestSupport
import Testing

@Suite struct PEFTFolderTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private static let prefix = "base_model.model."

  /// An adapter with these settings besides rank 2 and α 6, and tensors of these names and shapes.
  private func open(_ settings: String = "", tensors: [(String, [Int])]) throws -> PEFTFolder {
    let comma = settings.isEmpty ? "" : ","
    let repeated = settings.contains(#""r":"#)
    try folder.write(
      #"{"peft_type":"LORA","lora_alpha":6,\#(repeated ? "" : #""r":2,"#)"target_modules":"q|v"\#(comma)\#(settings)}"#,
      to: "adapter_config.json")
    var writer = SafetensorsWriter()
    for (name, shape) in tensors {
      let count = shape.reduce(1, *)
      writer.add(name: Self.prefix + name, shape: shape, floats: (0..<count).map { Float($0) })
    }
    try writer.write(to: folder.path(of: "adapter_model.safetensors"))
    return try PEFTFolder(path: folder.path)
  }

  private func factors(_ layer: String, rank: Int = 2, outputs: Int = 3, inputs: Int = 5) -> [(String, [Int])]
  {
    [(layer + ".lora_A.weight", [rank, inputs]), (layer + ".lora_B.weight", [outputs, rank])]
  }

  @Test func layersAreFoundByName() throws {
    // A square layer of the adapter's rank: shapes tell nothing.
    let adapter = try open(tensors: factors("h.10.q", outputs: 2, inputs: 2) + factors("h.9.q"))
    #expect(adapter.layers.map(\.name) == ["h.9.q", "h.10.q"])
    #expect(adapter.layers.map(\.outputs) == [3, 2] && adapter.layers.map(\.inputs) == [5, 2])
    #expect(adapter.layers.allSatisfy { $0.adapterRank == 2 && $0.scaling == 3 })
    let (a, b) = try adapter.factors(of: adapter.layers[0])
    #expect(a == Matrix(rows: 2, columns: 5, elements: (0..<10).map { Float($0) }))
    #expect(b == Matrix(rows: 3, columns: 2, elements: (0..<6).map { Float($0) }))
  }

  @Test func theAdaptersNameMayStandInATensorsName() throws {
    let adapter = try open(tensors: [
      ("q.lora_A.default.weight", [2, 5]), ("q.lora_B.default.weight", [3, 2]),
    ])
    #expect(adapter.layers.map(\.name) == ["q"])
  }

  @Test func savedModulesAreToldFromFactors() throws {
    let adapter = try open(
      #""modules_to_save":["score"]"#, tensors: factors("q") + [("my.score.dense.weight", [3, 4])])
    #expect(adapter.savedTensors == [HeadTensor(name: Self.prefix + "my.score.dense.weight", shape: [3, 4])])
    #expect(try adapter.values(of: adapter.savedTensors[0]).count == 12)
  }

  @Test func patternsFollowPEFT() throws {
    let settings =
      #""r":4,"rank_pattern":{"q":2},"alpha_pattern":{"1.q":8,"^h\\.2\\.v$":2},"use_rslora":true"#
    let adapter = try open(
      settings, tensors: factors("h.1.q") + factors("h.11.q") + factors("h.2.v", rank: 4))
    let scalings = adapter.layers.map(\.scaling)
    // "1.q" has to follow a dot, and its own dot matches any character.
    let root = 2.0.squareRoot()
    #expect(scalings == [8 / root, 1.0, 6 / root])
  }

  @Test(arguments: [
    (#""use_dora":true"#, "use_dora"), (#""bias":"lora_only""#, "bias"), (#""lora_bias":true"#, "lora_bias"),
    (#""target_parameters":["x"]"#, "target_parameters"), (#""r":3"#, "adapter rank 3"), (#""r":0"#, "r:"),
    (#""alpha_pattern":{"q":1,".":2}"#, "alpha_pattern"), (#""rank_pattern":{"(":1}"#, "rank_pattern"),
    (#""rank_pattern":{"q":1}"#, "adapter rank 1"),
  ])
  func settingsThatCannotBeFollowedAreNamed(setting: String, part: String) throws {
    let error = #expect(throws: PEFTError.self) { try open(setting, tensors: factors("q")) }
    #expect("\(try #require(error))".contains(part))
  }

  @Test(arguments: [
    ("q.lora_embedding_A", "q.lora_embedding_A"), ("q.lora_magnitude_vector.weight", "lora_magnitude_vector"),
    ("q.weight", "modules_to_save"), ("v.lora_A.weight", "lora_A alone"),
    ("q.lora_A.default.weight", "several"),
  ])
  func otherTensorsAreNamed(name: String, part: String) throws {
    let error = #expect(throws: PEFTError.self) { try open(tensors: factors("q") + [(name, [2, 5])]) }
    #expect("\(try #require(error))".contains(part))
  }

  @Test func aFileWithoutFactorsIsRefused() {
    #expect {
      try open(tensors: [])
    } throws: {
      "\($0)".contains("lora_A.weight and lora_B.weight of a layer, found none")
    }
  }

  @Test func factorsThatDoNotFitAreNamed() throws {
    let error = #expect(throws: PEFTError.self) {
      try open(tensors: [("q.lora_A.weight", [2, 5]), ("q.lora_B.weight", [3, 4])])
    }
    #expect("\(try #require(error))".contains("[2, 5] and [3, 4]"))
  }

  @Test func otherAdapterRanksKeepTheScalings() throws {
    let adapter = try open(
      #""alpha_pattern":{"v":5},"inference_mode":true,"lora_dropout":0.1,"extra":[null,{"a":1}]"#,
      tensors: factors("h.1.q") + factors("h.1.v") + factors("h.2.q"))
    var writer = PEFTFolderWriter(like: adapter)
    let ranks = [3, 4, 2]
    for (layer, rank) in zip(adapter.layers, ranks) {
      writer.add(
        layer, a: Matrix(rows: rank, columns: layer.inputs), b: Matrix(rows: layer.outputs, columns: rank))
    }
    let output = folder.path(of: "output")
    try writer.write(to: output)
    let written = try PEFTFolder(path: output)
    #expect(written.layers.map(\.adapterRank) == ranks)
    #expect(written.layers.map(\.scaling) == adapter.layers.map(\.scaling))
    let text = try text(ofFileAt: output + "/adapter_config.json")
    for part in [
      #""inference_mode" : true"#, #""lora_dropout" : 0.1"#, #""target_modules" : "q|v""#, #""a" : 1"#,
    ] {
      #expect(text.contains(part), "\(text)")
    }
  }
}
