import Adapters
import Safetensors
import Testing

@testable import Transformer

/// What a model folder can be spoiled with: each refusal names file, key, what was expected and what was found.
@Suite struct ConfigurationRefusalTests {
  private let copy: ModelCopy

  init() throws { copy = try ModelCopy() }

  @Test func theUnspoiledCopyIsTaken() throws {
    let model = try PretrainedModel(path: copy.path)
    #expect(model.vocabularySize == 99 && model.positionCount == 40)
    #expect(model.hiddenSize == 32 && model.tokenTypeCount == 2)
  }

  @Test func aMissingFolderIsNamed() {
    let path = copy.path + "/none"
    #expect(throws: ModelError.unreadable(path: path + "/config.json", reason: "no such file")) {
      try PretrainedModel(path: path)
    }
  }

  @Test(arguments: ["", "{", "[1]", "7", "{\"hidden_size\": }"])
  func aConfigurationThatIsNoJSONObject(text: String) throws {
    try copy.write(configuration: text)
    let error = #expect(throws: ModelError.self) { try PretrainedModel(path: copy.path) }
    #expect(
      error?.description == "\(copy.configurationPath): cannot be read: expected a JSON object")
  }

  @Test(
    arguments: [
      "model_type", "hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size",
      "vocab_size", "max_position_embeddings", "type_vocab_size", "layer_norm_eps",
    ], [nil, "null"])
  func aMissingKey(key: String, json: String?) throws {
    try copy.set(key, to: json)
    let error = #expect(throws: ModelError.self) { try PretrainedModel(path: copy.path) }
    #expect(error == .missingKey(key, path: copy.configurationPath))
    #expect(error?.description == "\(copy.configurationPath): expected the key \"\(key)\", found none")
  }

  @Test(arguments: [
    ("hidden_size", "\"32\"", "a whole number", "\"32\""),
    ("hidden_size", "32.5", "a whole number", "32.5"),
    ("hidden_size", "[32]", "a whole number", "[32]"),
    ("hidden_size", "0", "a positive whole number", "0"),
    ("num_hidden_layers", "-2", "a positive whole number", "-2"),
    ("layer_norm_eps", "\"small\"", "a number", "\"small\""),
    ("layer_norm_eps", "-1", "a positive number", "-1.0"),
    ("model_type", "7", "a text", "7"),
    (
      "model_type", "\"gpt2\"", "bert or roberta or xlm-roberta or mpnet or llama or mistral or qwen2",
      "\"gpt2\""
    ),
    ("hidden_act", "true", "a text", "true"),
    ("hidden_act", "\"swish\"", "gelu, gelu_new, gelu_pytorch_tanh, relu", "\"swish\""),
    ("num_attention_heads", "5", "a divisor of hidden_size 32", "5"),
    ("position_embedding_type", "\"relative_key\"", "\"absolute\"", "\"relative_key\""),
    ("is_decoder", "true", "false", "true"),
    ("is_decoder", "\"no\"", "true or false", "\"no\""),
    ("problem_type", "\"regression\"", "\"single_label_classification\"", "\"regression\""),
    ("quantization_config", "{\"bits\": 4}", "none", "{\"bits\":4}"),
    (
      "num_hidden_layers", "1",
      "all layers of the checkpoint, which has the tensor encoder.layer.1.attention.output.LayerNorm.bias",
      "1"
    ),
  ])
  func aWrongValue(key: String, json: String, expected: String, found: String) throws {
    try copy.set(key, to: json)
    let error = #expect(throws: ModelError.self) { try PretrainedModel(path: copy.path) }
    #expect(error?.description == "\(copy.configurationPath): \(key): expected \(expected), found \(found)")
  }

  @Test(arguments: [
    "hidden_act", "position_embedding_type", "is_decoder", "problem_type", "quantization_config",
  ])
  func aKeyThatMayBeAbsent(key: String) throws {
    try copy.set(key, to: nil)
    let shape = try PretrainedModel(path: copy.path).bert.shape
    try copy.set(key, to: "null")
    #expect(try PretrainedModel(path: copy.path).bert.shape == shape)
    #expect(shape.activation == .gelu)
  }
}

/// What `model.safetensors` can be spoiled with, and the forms in which it may come.
@Suite struct WeightRefusalTests {
  private let copy: ModelCopy

  init() throws { copy = try ModelCopy() }

  private func adapted() throws -> AdaptedModel {
    try AdaptedModel(model: copy.path, adapter: Golden.folder + "/tiny/adapter-all", labels: 3)
  }

  private func logits(_ model: AdaptedModel) throws -> [Float] {
    try model.logits(LabelledBatch(Golden.file("tiny/batch.safetensors")))
  }

  @Test func noWeights() throws {
    try copy.removeWeights()
    let error = #expect(throws: SafetensorsError.self) { try PretrainedModel(path: copy.path) }
    #expect(error?.path == copy.weightsPath)
    #expect(error?.problem == .cannotRead(reason: "No such file or directory"))
  }

  @Test(arguments: [
    "embeddings.word_embeddings.weight", "embeddings.LayerNorm.bias",
    "encoder.layer.1.attention.self.query.bias", "encoder.layer.0.output.dense.weight",
    "encoder.layer.1.output.LayerNorm.weight", "pooler.dense.weight",
  ])
  func aMissingTensor(name: String) throws {
    try copy.writeWeights { $0[name] = nil }
    let error = #expect(throws: SafetensorsError.self) { try adapted().classifier() }
    #expect(error?.path == copy.weightsPath && error?.tensor == name)
    guard case .noSuchTensor = error?.problem else {
      Issue.record("another problem: \(String(describing: error))")
      return
    }
  }

  @Test(arguments: [
    ("embeddings.position_embeddings.weight", [40, 32], [32, 40]),
    ("encoder.layer.0.intermediate.dense.weight", [64, 32], [32, 64]),
    ("encoder.layer.1.intermediate.dense.bias", [64], [1, 64]),
    ("pooler.dense.weight", [32, 32], [1024]),
  ])
  func aTensorOfAnotherShape(name: String, expected: [Int], found: [Int]) throws {
    try copy.writeWeights { $0[name]?.shape = found }
    let error = #expect(throws: ModelError.self) { try adapted().classifier() }
    #expect(error?.description == "\(copy.weightsPath): \(name): expected shape \(expected), found \(found)")
  }

  @Test func weightsThatDoNotFitTheConfiguration() throws {
    try copy.set("vocab_size", to: "100")
    let error = #expect(throws: ModelError.self) { try adapted().classifier() }
    #expect(error?.description.hasSuffix("expected shape [100, 32], found [99, 32]") == true)
  }

  @Test func weightsThatAreNoFloats() throws {
    try copy.writeWeights(as: .int32)
    let error = #expect(throws: SafetensorsError.self) { try adapted().classifier() }
    #expect(error?.problem == .wrongDataType(expected: "F32", found: "I32"))
  }

  /// Rounding moves a weight by up to 2⁻¹¹ or 2⁻⁹ of its size; two blocks enlarge that a few times.
  @Test(arguments: [
    (SafetensorsDataType.float64, 0), (.float16, 8 * 0x1p-11), (.bfloat16, 8 * 0x1p-9),
  ])
  func otherFloatsGiveNearlyTheSameLogits(dataType: SafetensorsDataType, tolerance: Double) throws {
    let expected = try logits(adapted())
    try copy.writeWeights(as: dataType)
    let model = try adapted()
    #expect(model.pretrained.folder.weights["pooler.dense.weight"]?.dataType == dataType)
    let found = try logits(model)
    #expect(relativeError(found, expected) <= tolerance)
    #expect((found == expected) == (dataType == .float64))
  }

  @Test func tensorsMayStandBehindThePrefixOfATaskModel() throws {
    let expected = try logits(adapted())
    try copy.writeWeights { weights in
      weights = Dictionary(uniqueKeysWithValues: weights.map { ("bert." + $0, $1) })
    }
    let model = try adapted()
    #expect(model.pretrained.bert.prefix == "bert.")
    #expect(try logits(model) == expected)
  }
}

/// The classifier's head: the checkpoint's own, where it has one for as many labels.
@Suite struct HeadTests {
  private let copy: ModelCopy
  private let weight = (0..<3 * 32).map { Float($0) / 100 }
  private let bias: [Float] = [1, -2, 0.5]

  init() throws { copy = try ModelCopy() }

  private func writeHead() throws {
    try copy.writeWeights {
      $0["classifier.weight"] = .init(shape: [3, 32], values: weight)
      $0["classifier.bias"] = .init(shape: [3], values: bias)
    }
  }

  private func layout(_ model: PretrainedModel, labels: Int) throws -> AdapterLayout {
    AdapterLayout(
      layers: try model.adaptedLayers(targets: ["query"], adapterRank: 2, scaling: 1),
      head: model.headTensors(labelCount: labels), headMode: .shared)
  }

  @Test func noHead() throws {
    let error = #expect(throws: ModelError.self) {
      try PretrainedModel(path: copy.path).ownClassifier(labelCount: 3)
    }
    #expect(
      error?.description
        == "\(copy.weightsPath): expected a classifier head for 3 labels, found none; name an adapter that has one"
    )
  }

  @Test func aHeadForAnotherNumberOfLabels() throws {
    try writeHead()
    let model = try PretrainedModel(path: copy.path)
    let error = #expect(throws: ModelError.self) { try model.ownClassifier(labelCount: 2) }
    #expect(error == .noHead(path: copy.weightsPath, labels: 2, found: 3))
    #expect(error?.description.contains("head for 2 labels, found one for 3;") == true)
    let layout = try layout(model, labels: 2)
    #expect(try model.start(layout: layout, seed: 5) == .start(layout: layout, seed: 5))
  }

  @Test func theCheckpointsOwnHeadIsUsed() throws {
    try writeHead()
    let model = try PretrainedModel(path: copy.path)
    #expect(try model.ownClassifier(labelCount: 3).values == weight + bias)
    let layout = try layout(model, labels: 3)
    let start = try model.start(layout: layout, seed: 5)
    #expect(Array(start[layout.head[0]]) == weight)
    #expect(Array(start[layout.head[1]]) == bias)
    #expect(
      start.values.prefix(layout.factorCount)
        == AdapterParameters.start(layout: layout, seed: 5)
        .values.prefix(layout.factorCount))
  }

  @Test func withoutAHeadOfItsOwnTheStartIsSeeded() throws {
    let model = try PretrainedModel(path: copy.path)
    let layout = try layout(model, labels: 3)
    #expect(try model.start(layout: layout, seed: 5) == .start(layout: layout, seed: 5))
  }
}

/// Which layers a PEFT target names, and which adapters do not fit.
@Suite struct TargetTests {
  private let model: PretrainedModel

  init() throws { model = try PretrainedModel(path: Golden.folder + "/tiny") }

  private func names(_ targets: [String]) throws -> [String] {
    try model.adaptedLayers(targets: targets, adapterRank: 2, scaling: 1).map {
      String($0.name.trimmingPrefix("bert.encoder.layer."))
    }
  }

  @Test(arguments: [
    (["query"], ["0.attention.self.query", "1.attention.self.query"]),
    (
      ["output.dense"],
      ["0.attention.output.dense", "0.output.dense", "1.attention.output.dense", "1.output.dense"]
    ),
    (["0.output.dense"], ["0.output.dense"]),
    (["attention.output.dense"], ["0.attention.output.dense", "1.attention.output.dense"]),
    (["bert.encoder.layer.1.intermediate.dense"], ["1.intermediate.dense"]),
    (
      ["value", "query", "self.query"],
      [
        "0.attention.self.query", "0.attention.self.value", "1.attention.self.query",
        "1.attention.self.value",
      ]
    ),
  ])
  func aTargetNamesPathsByTheirEnd(targets: [String], expected: [String]) throws {
    #expect(try names(targets) == expected)
  }

  @Test(arguments: ["quary", "uery", "self", "", "2.output.dense", "pooler.dense", "classifier"])
  func aTargetThatNamesNoLayer(target: String) {
    let error = #expect(throws: ModelError.self) { try names(["query", target]) }
    #expect(
      error?.description == """
        adapter.targets: "\(target)" names no layer; expected one of attention.self.query, \
        attention.self.key, attention.self.value, attention.output.dense, intermediate.dense, output.dense
        """)
  }

  @Test(arguments: [("query", 32, 32), ("intermediate.dense", 64, 32), ("0.output.dense", 32, 64)])
  func anAdapterRankAboveADimension(target: String, outputs: Int, inputs: Int) throws {
    let layers = try model.adaptedLayers(targets: [target], adapterRank: 32, scaling: 1)
    #expect(layers[0].outputs == outputs && layers[0].inputs == inputs)
    let error = #expect(throws: ModelError.self) {
      try model.adaptedLayers(targets: [target], adapterRank: 33, scaling: 1)
    }
    #expect(
      error?.description
        == "adapter.rank: expected at most 32 for \(layers[0].name) (\(outputs)×\(inputs)), found 33")
  }

  @Test func aSequenceWithoutPositions() throws {
    try model.requirePositions(tokenCount: 40)
    let error = #expect(throws: ModelError.self) { try model.requirePositions(tokenCount: 41) }
    #expect(
      error?.description == "expected sequences of at most 40 tokens (the model's positions), found 41")
  }
}
