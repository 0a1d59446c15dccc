import Adapters
import LinearAlgebra
import Safetensors
import Testing

@testable import Transformer

/// What sets RoBERTa and MPNet apart from BERT: positions behind padding, biases by distance, a head of two layers.
@Suite struct RelatedEncoderTests {
  private func refusal(_ copy: ModelCopy) -> String? {
    let error = #expect(throws: ModelError.self) { try PretrainedModel(path: copy.path) }
    return error?.description
  }

  private func model(_ name: String) throws -> PretrainedModel {
    try PretrainedModel(path: "\(Golden.folder)/\(name)")
  }

  @Test func bucketsOfDistances() throws {
    let expected = try Golden.file("tiny-mpnet/buckets.safetensors").integers(
      named: "buckets", as: Int32.self)
    #expect((-200...200).map { Int32(RelativeBias.bucket(distance: $0)) } == expected)
  }

  @Test(arguments: [
    ("tiny-roberta", 40, 1, ["query", "value"]), ("tiny-mpnet", 142, 0, ["q", "v"]),
    ("tiny", 40, 2, ["query", "value"]), ("tiny-llama", 64, 0, ["q_proj", "v_proj"]),
  ])
  func sizes(name: String, positions: Int, tokenTypes: Int, targets: [String]) throws {
    let model = try model(name)
    #expect(model.positionCount == positions && model.tokenTypeCount == tokenTypes)
    #expect(model.usualTargets == targets)
    try model.requirePositions(tokenCount: positions)
    #expect(throws: ModelError.sequenceTooLong(tokens: positions + 1, limit: positions)) {
      try model.requirePositions(tokenCount: positions + 1)
    }
  }

  @Test(arguments: [("tiny-roberta", "roberta."), ("tiny-mpnet", "mpnet.")])
  func tensorsMayStandBehindThePrefixOfATaskModel(name: String, prefix: String) throws {
    let copy = try ModelCopy(of: name)
    try copy.writeWeights { weights in
      weights = Dictionary(uniqueKeysWithValues: weights.map { (prefix + $0, $1) })
    }
    let adapter = "\(Golden.folder)/\(name)/adapter-all"
    let input = try LabelledBatch(Golden.file("\(name)/batch.safetensors"))
    let bare = try AdaptedModel(model: "\(Golden.folder)/\(name)", adapter: adapter, labels: 3)
    let found = try AdaptedModel(model: copy.path, adapter: adapter, labels: 3)
    #expect(try found.logits(input) == bare.logits(input))
  }

  /// XLM-RoBERTa is RoBERTa with another vocabulary; its names are the same.
  @Test func xlmRoBERTaIsRoBERTa() throws {
    let copy = try ModelCopy(of: "tiny-roberta")
    try copy.set("model_type", to: "\"xlm-roberta\"")
    let adapter = Golden.folder + "/tiny-roberta/adapter-all"
    let input = try LabelledBatch(Golden.file("tiny-roberta/batch.safetensors"))
    let expected = try Golden.file("tiny-roberta/expected-all.safetensors").floatArray(named: "logits")
    let found = try AdaptedModel(model: copy.path, adapter: adapter, labels: 3).logits(input)
    #expect(relativeError(found, expected) < 1e-6)
  }

  @Test(arguments: [
    ("tiny-mpnet", ["o"], ["0.attention.attn.o", "1.attention.attn.o"]),
    ("tiny-mpnet", ["1.attention.attn.q", "0.output.dense"], ["0.output.dense", "1.attention.attn.q"]),
    (
      "tiny-roberta", ["1.output.dense", "attention.output.dense"],
      ["0.attention.output.dense", "1.attention.output.dense", "1.output.dense"]
    ),
  ])
  func targetsNameTheirLayers(name: String, targets: [String], expected: [String]) throws {
    let layers = try model(name).adaptedLayers(targets: targets, adapterRank: 2, scaling: 1)
    #expect(layers.map { String($0.name.split(separator: ".", maxSplits: 3)[3]) } == expected)
  }

  @Test func noLayerOfAnotherKind() throws {
    let error = #expect(throws: ModelError.self) {
      try model("tiny-mpnet").adaptedLayers(targets: ["query"], adapterRank: 2, scaling: 1)
    }
    #expect(error?.description.contains("expected one of attention.attn.q, attention.attn.k") == true)
    #expect(
      try model("tiny-mpnet").targetNames == ["q", "k", "v", "o", "intermediate.dense", "output.dense"])
  }

  @Test(arguments: [
    ("tiny-mpnet", "relative_attention_num_buckets", "64", "expected 32, found 64"),
    ("tiny-roberta", "pad_token_id", "-1", "expected 0 or more, found -1"),
    ("tiny-roberta", "pad_token_id", "null", "expected a value, or no such key, found null"),
    (
      "tiny-mpnet", "max_position_embeddings", "2",
      "expected more than the padding token 1 and one after it, found 2"
    ),
    ("tiny-roberta", "is_decoder", "true", "expected false, found true"),
    (
      "tiny-roberta", "position_embedding_type", "\"relative_key\"",
      "expected \"absolute\", found \"relative_key\""
    ),
  ])
  func aWrongValue(name: String, key: String, json: String, expected: String) throws {
    let copy = try ModelCopy(of: name)
    try copy.set(key, to: json)
    #expect(refusal(copy) == "\(copy.configurationPath): \(key): \(expected)")
  }

  @Test func positionsFollowThePaddingToken() throws {
    let copy = try ModelCopy(of: "tiny-roberta")
    try copy.set("pad_token_id", to: "0")
    #expect(try PretrainedModel(path: copy.path).positionCount == 41)
    try copy.set("pad_token_id", to: nil)
    #expect(try PretrainedModel(path: copy.path).positionCount == 40)
  }

  @Test func theTermsOfDistancesMustBeThere() throws {
    let copy = try ModelCopy(of: "tiny-mpnet")
    try copy.writeWeights { $0["encoder.relative_attention_bias.weight"] = nil }
    let model = try PretrainedModel(path: copy.path)
    let layout = AdapterLayout(layers: [], head: model.headTensors(labelCount: 3), headMode: .frozen)
    let error = #expect(throws: SafetensorsError.self) { try model.classifier(layout: layout) }
    #expect(error?.tensor == "encoder.relative_attention_bias.weight")
  }
}

/// A head of two layers: the checkpoint's own where it has all four tensors, seeded otherwise.
@Suite struct TwoLayerHeadTests {
  private func copy(labels: Int?) throws -> ModelCopy {
    let copy = try ModelCopy(of: "tiny-mpnet")
    try copy.writeWeights {
      $0["classifier.dense.weight"] = .init(shape: [24, 24], values: (0..<576).map { Float($0 % 11) / 20 })
      $0["classifier.dense.bias"] = .init(shape: [24], values: (0..<24).map { Float($0) / 30 })
      guard let labels else { return }
      $0["classifier.out_proj.weight"] = .init(
        shape: [labels, 24], values: (0..<labels * 24).map { Float($0 % 7) / 10 })
      $0["classifier.out_proj.bias"] = .init(shape: [labels], values: (0..<labels).map { Float($0) })
    }
    return copy
  }

  private func layout(_ model: PretrainedModel) throws -> AdapterLayout {
    AdapterLayout(
      layers: try model.adaptedLayers(targets: ["q"], adapterRank: 2, scaling: 1),
      head: model.headTensors(labelCount: 3), headMode: .shared)
  }

  @Test func itsTensors() throws {
    let head = try PretrainedModel(path: Golden.folder + "/tiny-mpnet").headTensors(labelCount: 3)
    #expect(
      head == [
        HeadTensor(name: "classifier.dense.weight", shape: [24, 24]),
        HeadTensor(name: "classifier.dense.bias", shape: [24]),
        HeadTensor(name: "classifier.out_proj.weight", shape: [3, 24]),
        HeadTensor(name: "classifier.out_proj.bias", shape: [3]),
      ])
  }

  @Test func theCheckpointsOwn() throws {
    let copy = try copy(labels: 3)
    let model = try PretrainedModel(path: copy.path)
    let own = try model.ownClassifier(labelCount: 3)
    let start = try model.start(layout: layout(model), seed: 5)
    #expect(start.head == own.head && own.head.count == 576 + 24 + 72 + 3)
    #expect(Array(own.head.suffix(3)) == [0, 1, 2] && own.head[1] == 1 / 20)
  }

  @Test(arguments: [nil, 2]) func oneThatDoesNotFitIsNotUsed(labels: Int?) throws {
    let copy = try copy(labels: labels)
    let model = try PretrainedModel(path: copy.path)
    let layout = try layout(model)
    #expect(try model.start(layout: layout, seed: 5) == .start(layout: layout, seed: 5))
    #expect(throws: ModelError.noHead(path: copy.weightsPath, labels: 3, found: labels)) {
      try model.ownClassifier(labelCount: 3)
    }
  }

  @Test func theSeededStart() throws {
    let model = try PretrainedModel(path: Golden.folder + "/tiny-mpnet")
    let layout = try layout(model)
    let start = try model.start(layout: layout, seed: 5)
    for slot in layout.head {
      let largest = start[slot].map { abs($0) }.max()!
      #expect(slot.shape.count == 2 ? (0.1...1 / Float(24).squareRoot()).contains(largest) : largest == 0)
    }
    #expect(start[layout.head[0]].prefix(72) != start[layout.head[2]])
  }
}
