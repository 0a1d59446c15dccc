import Adapters
import LinearAlgebra
import Safetensors
import TestSupport
import Testing

@testable import Transformer

/// What a decoder's `config.json` can hold that is not computed: named with what was expected and what was found.
@Suite struct DecoderConfigurationTests {
  private let copy: ModelCopy

  init() throws { copy = try ModelCopy(of: "tiny-llama") }

  private func refusal() -> String? {
    let error = #expect(throws: ModelError.self) { try PretrainedModel(path: copy.path) }
    return error?.description
  }

  @Test(arguments: [
    "hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size", "vocab_size",
    "max_position_embeddings", "rms_norm_eps",
  ])
  func aMissingKey(key: String) throws {
    try copy.set(key, to: nil)
    #expect(refusal() == "\(copy.configurationPath): expected the key \"\(key)\", found none")
  }

  @Test(arguments: [
    ("rms_norm_eps", "0", "rms_norm_eps: expected a positive number, found 0.0"),
    ("hidden_act", "\"gelu\"", "hidden_act: expected \"silu\", found \"gelu\""),
    ("head_dim", "7", "head_dim: expected an even number, for rotary positions, found 7"),
    ("num_key_value_heads", "4", "num_key_value_heads: expected a divisor of num_attention_heads 6, found 4"),
    ("num_local_experts", "8", "num_local_experts: expected 1, found 8"),
    ("partial_rotary_factor", "0.5", "partial_rotary_factor: expected 1.0, found 0.5"),
    ("tie_word_embeddings", "\"yes\"", "tie_word_embeddings: expected true or false, found \"yes\""),
    ("attention_bias", "3", "attention_bias: expected true or false, found 3"),
    (
      "rope_parameters", "{\"rope_type\": \"llama3\", \"rope_theta\": 5}",
      "rope_parameters.rope_type: expected \"default\", found \"llama3\""
    ),
    (
      "rope_parameters", "{\"rope_theta\": -5}",
      "rope_parameters.rope_theta: expected a positive number, found -5.0"
    ),
    (
      "rope_parameters", "{\"partial_rotary_factor\": 0.25}",
      "rope_parameters.partial_rotary_factor: expected 1.0, found 0.25"
    ),
    (
      "rope_scaling", "{\"type\": \"linear\", \"factor\": 2}",
      "rope_scaling.type: expected \"default\", found \"linear\""
    ),
    ("rope_scaling", "\"linear\"", "rope_scaling: expected an object, found \"linear\""),
    (
      "quantization_config", "{\"quant_method\": \"gptq\"}",
      "quantization_config: expected none, found {\"quant_method\":\"gptq\"}"
    ),
    (
      "num_hidden_layers", "1",
      "num_hidden_layers: expected all layers of the checkpoint, which has the tensor "
        + "model.layers.1.input_layernorm.weight, found 1"
    ),
  ])
  func aWrongValue(key: String, json: String, expected: String) throws {
    try copy.set(key, to: json)
    #expect(refusal() == "\(copy.configurationPath): \(expected)")
  }

  @Test func headsThatDoNotDivideTheHiddenSize() throws {
    try copy.set("head_dim", to: nil)
    try copy.set("num_attention_heads", to: "5")
    #expect(
      refusal()?.hasSuffix("num_attention_heads: expected a divisor of hidden_size 48, found 5") == true)
  }

  @Test(arguments: [
    "rope_scaling", "rope_parameters", "head_dim", "hidden_act", "mlp_bias", "tie_word_embeddings",
  ])
  func aKeyThatMayBeAbsent(key: String) throws {
    try copy.set(key, to: nil)
    let shape = try PretrainedModel(path: copy.path).llama.shape
    try copy.set(key, to: "null")
    #expect(try PretrainedModel(path: copy.path).llama.shape == shape)
    #expect(shape.headSize == 8 && shape.rotaryBase == 10000)
    #expect(shape.tiesOutput == (key != "tie_word_embeddings"))
  }

  /// Older files have the base beside everything else, often as a whole number.
  @Test(arguments: [nil, "{\"rope_type\": \"default\"}"]) func aBaseOfItsOwn(parameters: String?) throws {
    try copy.set("rope_theta", to: "100000")
    try copy.set("rope_parameters", to: parameters)
    try copy.set("rope_scaling", to: "{\"rope_type\": \"default\"}")
    #expect(try PretrainedModel(path: copy.path).llama.shape.rotaryBase == 100000)
  }

  @Test func keysAndValuesOfTheirOwnForEveryHead() throws {
    try copy.set("num_key_value_heads", to: nil)
    #expect(try PretrainedModel(path: copy.path).llama.shape.keyValueHeadCount == 6)
  }

  /// Only a window that is used and that a sequence could be longer than.
  @Test(arguments: [
    ("tiny-mistral", "63", false, true), ("tiny-mistral", "64", false, false),
    ("tiny-qwen2", "63", true, true), ("tiny-qwen2", "63", false, false), ("tiny-llama", "63", false, false),
  ])
  func slidingWindows(model: String, window: String, isUsed: Bool, isRefused: Bool) throws {
    let copy = try ModelCopy(of: model)
    try copy.set("sliding_window", to: window)
    try copy.set("use_sliding_window", to: "\(isUsed)")
    guard isRefused else {
      #expect(try PretrainedModel(path: copy.path).positionCount == 64)
      return
    }
    let error = #expect(throws: ModelError.self) { try PretrainedModel(path: copy.path) }
    #expect(
      error?.description
        == "\(copy.configurationPath): sliding_window: expected none, or at least max_position_embeddings 64, found 63"
    )
  }

  @Test func everyBiasThatIsStated() throws {
    try copy.set("attention_bias", to: "true")
    try copy.set("mlp_bias", to: "true")
    let model = try PretrainedModel(path: copy.path)
    #expect(
      model.llama.shape.biases == .init(attentionInputs: true, attentionOutput: true, feedForward: true))
    let error = #expect(throws: SafetensorsError.self) {
      try model.languageModel(layout: AdapterLayout(layers: [], head: [], headMode: .frozen))
    }
    #expect(error?.tensor == "model.layers.0.self_attn.q_proj.bias")
  }
}

/// Which model is for what.
@Suite struct TaskTests {
  private let empty = AdapterLayout(layers: [], head: [], headMode: .frozen)

  @Test(arguments: [
    ("tiny", [PretrainedModel.Task.classification]), ("tiny-llama", [.languageModel]),
    ("tiny-qwen2", [.languageModel]), ("tiny-mistral", [.languageModel]),
  ])
  func tasks(model: String, tasks: [PretrainedModel.Task]) throws {
    let model = try PretrainedModel(path: "\(Golden.folder)/\(model)")
    #expect(model.tasks == Set(tasks))
    #expect(model.tokenTypeCount == (tasks == [.classification] ? 2 : 0))
  }

  @Test func anEncoderIsNoLanguageModel() throws {
    let model = try PretrainedModel(path: Golden.folder + "/tiny")
    let error = #expect(throws: ModelError.self) { try model.languageModel(layout: empty) }
    #expect(
      error?.description.hasSuffix("model_type: expected a decoder, for a language model, found \"bert\"")
        == true)
  }

  @Test func aDecoderIsNoClassifier() throws {
    let model = try PretrainedModel(path: Golden.folder + "/tiny-qwen2")
    let error = #expect(throws: ModelError.self) { try model.classifier(layout: empty) }
    #expect(
      error?.description.hasSuffix("model_type: expected an encoder, for a classifier, found \"qwen2\"")
        == true)
  }

  @Test func targetsOfADecoder() throws {
    let model = try PretrainedModel(path: Golden.folder + "/tiny-llama")
    let names = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
    #expect(model.targetNames == names)
    let layers = try model.adaptedLayers(
      targets: ["mlp.gate_proj", "0.self_attn.k_proj"], adapterRank: 2, scaling: 1)
    #expect(
      layers.map { "\($0.name) \($0.outputs)×\($0.inputs)" } == [
        "model.layers.0.self_attn.k_proj 16×48", "model.layers.0.mlp.gate_proj 80×48",
        "model.layers.1.mlp.gate_proj 80×48",
      ])
    let error = #expect(throws: ModelError.self) {
      try model.adaptedLayers(targets: ["query"], adapterRank: 2, scaling: 1)
    }
    #expect(error?.description.contains("expected one of self_attn.q_proj, self_attn.k_proj") == true)
  }
}

/// A checkpoint in several files.
@Suite struct ShardTests {
  private let copy: ModelCopy
  private let index = "model.safetensors.index.json"
  private let second = "model-00002-of-00002.safetensors"

  init() throws { copy = try ModelCopy(of: "tiny-qwen2") }

  @Test func namesOfTheFiles() throws {
    let shards = ["model-00001-of-00002.safetensors", second]
    #expect(try ModelFolder.fileNames(in: copy.path) == ["config.json"] + shards + [index])
    let one = try ModelCopy()
    #expect(try ModelFolder.fileNames(in: one.path) == ["config.json", "model.safetensors"])
  }

  @Test func aMissingShard() throws {
    try copy.remove(second)
    let error = #expect(throws: SafetensorsError.self) { try PretrainedModel(path: copy.path) }
    #expect(error?.path == "\(copy.path)/\(second)")
    #expect(error?.problem == .cannotRead(reason: "No such file or directory"))
  }

  @Test func aTensorThatIsNotWhereTheIndexSays() throws {
    try copy.set("weight_map", to: "{\"model.norm.weight\": \"model-00001-of-00002.safetensors\"}", of: index)
    let error = #expect(throws: SafetensorsError.self) { try PretrainedModel(path: copy.path) }
    #expect(error?.path == "\(copy.path)/model-00001-of-00002.safetensors")
    #expect(error?.tensor == "model.norm.weight")
  }

  @Test func aTensorThatIsNotInTheIndex() throws {
    try copy.set("weight_map", to: "{\"model.norm.weight\": \"\(second)\"}", of: index)
    let model = try PretrainedModel(path: copy.path)
    #expect(throws: ModelError.missingKey("model.embed_tokens.weight", path: "\(copy.path)/\(index)")) {
      try model.languageModel(layout: AdapterLayout(layers: [], head: [], headMode: .frozen))
    }
  }

  @Test(arguments: [
    (nil, "expected the key \"weight_map\", found none"),
    ("[]", "weight_map: expected an object, found []"),
    ("{\"a\": 1}", "weight_map.a: expected a text, found 1"),
    (
      "{\"a\": \"../other/model.safetensors\"}",
      "weight_map.a: expected the name of a file of the folder, found \"../other/model.safetensors\""
    ),
  ])
  func anIndexThatIsWrong(map: String?, expected: String) throws {
    try copy.set("weight_map", to: map, of: index)
    let error = #expect(throws: ModelError.self) { try PretrainedModel(path: copy.path) }
    #expect(error?.description == "\(copy.path)/\(index): \(expected)")
  }

  /// Whose folder is written again is one file.
  @Test func aChangedBaseOfShards() throws {
    let model = try PretrainedModel(path: copy.path)
    let layout = AdapterLayout(
      layers: try model.adaptedLayers(targets: ["1.self_attn.o_proj"], adapterRank: 2, scaling: 1), head: [],
      headMode: .frozen)
    var base = try model.baseWeights(layout: layout)
    let ones = [Float](repeating: 1, count: 24 * 24)
    ones.withUnsafeBufferPointer {
      base.add(.init($0.baseAddress!, rows: 24, columns: 24), to: layout.layers[0])
    }
    try withTemporaryFolder { folder in
      try model.write(base, to: folder)
      let file = try SafetensorsFile(path: folder + "/model.safetensors")
      #expect(file.names == model.folder.weights.names)
      #expect(try file.floatArray(named: "model.layers.1.self_attn.o_proj.weight") == base.values)
      #expect(try PretrainedModel(path: folder).folder.weights.names == file.names)
    }
  }
}

extension PretrainedModel {
  var llama: LLaMAArchitecture { architecture as! LLaMAArchitecture }
}
