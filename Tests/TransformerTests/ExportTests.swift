import Adapters
import Foundation
import LinearAlgebra
import Safetensors
import TestSupport
import Testing
import Transformer

@Suite struct ExportTests {
  private let copy: ModelCopy
  private let target: TemporaryFolder

  init() throws {
    copy = try ModelCopy()
    target = try TemporaryFolder()
  }

  private func layout(_ model: PretrainedModel) throws -> AdapterLayout {
    AdapterLayout(
      layers: try model.adaptedLayers(targets: ["query", "0.output.dense"], adapterRank: 2, scaling: 0.5),
      head: model.headTensors(labelCount: 3), headMode: .shared)
  }

  /// The model's weights, those of the first layer changed.
  private func changed(_ model: PretrainedModel) throws -> BaseWeights {
    var base = try model.baseWeights(layout: layout(model))
    let slot = base.layout.layers[0]
    let change = (0..<slot.layer.outputs * slot.layer.inputs).map { Float($0 % 7) * 0x1p-20 }
    Matrix(rows: slot.layer.outputs, columns: slot.layer.inputs, elements: change).withView {
      base.add($0, to: slot)
    }
    return base
  }

  @Test(arguments: [SafetensorsDataType.float32, .float16, .bfloat16])
  func whatIsLoadedAgainIsTheChangedModel(stored: SafetensorsDataType) throws {
    try copy.writeWeights(as: stored)
    let model = try PretrainedModel(path: copy.path)
    let base = try changed(model)
    #expect(try base != model.baseWeights(layout: base.layout))
    #expect(model.storedTypes(ofLayersIn: base.layout) == [stored.rawValue])
    try model.write(base, to: target.path(of: "run/base"))
    let again = try PretrainedModel(path: target.path(of: "run/base"))
    #expect(try again.baseWeights(layout: base.layout) == base)
  }

  @Test func allElseIsAsItWas() throws {
    try copy.writeWeights(as: .float16)
    try Data("{}\n".utf8).write(to: URL(filePath: copy.path + "/tokenizer.json"))
    try Data("no part of a model".utf8).write(to: URL(filePath: copy.path + "/notes"))
    let model = try PretrainedModel(path: copy.path)
    try model.write(changed(model), to: target.path)
    #expect(try target.names() == ["config.json", "model.safetensors", "tokenizer.json"])
    for name in ["config.json", "tokenizer.json"] {
      #expect(
        FileManager.default.contentsEqual(atPath: copy.path + "/" + name, andPath: target.path(of: name)))
    }
    let old = try SafetensorsFile(path: copy.weightsPath)
    let new = try SafetensorsFile(path: target.path(of: "model.safetensors"))
    #expect(new.names == old.names && new.metadata == ["format": "pt"])
    let layers = ["0.attention.self.query", "1.attention.self.query", "0.output.dense"]
    for name in new.names {
      let (before, after) = (try old.tensor(named: name), try new.tensor(named: name))
      #expect(after.shape == before.shape)
      if layers.contains(where: { name.hasSuffix("layer.\($0).weight") }) {
        #expect(after.dataType == .float32, "\(name)")
      } else {
        #expect(after.dataType == .float16 && old.bytes(of: before).elementsEqual(new.bytes(of: after)))
      }
    }
  }

  @Test func aTargetThatCannotBeWrittenIsNamed() throws {
    let model = try PretrainedModel(path: copy.path)
    try target.write("", to: "file")
    #expect { try model.write(changed(model), to: target.path(of: "file/base")) } throws: {
      "\($0)".contains("file/base: expected to write it")
    }
  }
}
