/// The shape of a decoder of LLaMA's architecture, as `config.json` states it.
struct LLaMAConfiguration: Sendable, Equatable {
  let hiddenSize: Int
  let layerCount: Int
  let headCount: Int
  let keyValueHeadCount: Int
  let headSize: Int
  let feedForwardSize: Int
  let vocabularySize: Int
  let positionCount: Int
  let epsilon: Float
  /// The base of the rotary positions' frequencies.
  let rotaryBase: Double
  /// Whether the output layer is the table of embeddings.
  let tiesOutput: Bool
  let biases: Biases

  /// Which linear layers have a bias.
  struct Biases: Sendable, Equatable {
    var attentionInputs = false
    var attentionOutput = false
    var feedForward = false
  }

  /// The values of `model_type` that are of this architecture.
  enum Kind: String, CaseIterable {
    case llama
    case mistral
    case qwen2
  }

  init(_ table: ConfigurationTable, _ kind: Kind) throws {
    hiddenSize = try table.size("hidden_size")
    layerCount = try table.size("num_hidden_layers")
    headCount = try table.size("num_attention_heads")
    keyValueHeadCount = try table.optionalSize("num_key_value_heads") ?? headCount
    headSize = try Self.headSize(table, headCount)
    feedForwardSize = try table.size("intermediate_size")
    vocabularySize = try table.size("vocab_size")
    positionCount = try table.size("max_position_embeddings")
    epsilon = Float(try table.positiveNumber("rms_norm_eps"))
    rotaryBase = try Self.rotaryBase(table)
    tiesOutput = try table.optionalValue("tie_word_embeddings") ?? false
    biases = try Self.biases(table, kind)
    if keyValueHeadCount != headCount {
      try table.requireDivisor("num_key_value_heads", of: "num_attention_heads")
    }
    try table.require("hidden_act", "silu")
    try Self.checkExperts(table)
    try Self.checkWindow(table, kind, positions: positionCount)
  }

  private static func headSize(_ table: ConfigurationTable, _ heads: Int) throws -> Int {
    let stated = try table.optionalSize("head_dim")
    if stated == nil { try table.requireDivisor("num_attention_heads", of: "hidden_size") }
    let size = try stated ?? table.size("hidden_size") / heads
    guard size % 2 == 0 else {
      throw table.wrongValue("head_dim", expected: "an even number, for rotary positions", found: "\(size)")
    }
    return size
  }

  private static func biases(_ table: ConfigurationTable, _ kind: Kind) throws -> Biases {
    switch kind {
    case .mistral: return Biases()
    case .qwen2: return Biases(attentionInputs: true)
    case .llama:
      let attention = try table.optionalValue("attention_bias") ?? false
      return Biases(
        attentionInputs: attention, attentionOutput: attention,
        feedForward: try table.optionalValue("mlp_bias") ?? false)
    }
  }

  /// `rope_theta`, which newer files have in `rope_parameters`; no other kind of rotary positions is computed.
  private static func rotaryBase(_ table: ConfigurationTable) throws -> Double {
    let tables = try [table] + ["rope_parameters", "rope_scaling"].compactMap { try table.table($0) }
    for table in tables.dropFirst() {
      for key in ["rope_type", "type"] { try table.require(key, "default") }
    }
    for table in tables { try table.require("partial_rotary_factor", 1.0) }
    for table in tables.dropFirst() + tables.prefix(1)
    where try table.optionalValue("rope_theta", as: Double.self) != nil {
      return try table.positiveNumber("rope_theta")
    }
    return 10000
  }

  private static func checkExperts(_ table: ConfigurationTable) throws {
    for key in ["num_local_experts", "num_experts"] { try table.require(key, 1) }
  }

  /// Attention to the last tokens alone is the attention to all where no sequence is longer than the window.
  private static func checkWindow(_ table: ConfigurationTable, _ kind: Kind, positions: Int) throws {
    let isUsed = try kind == .mistral || table.optionalValue("use_sliding_window") ?? false
    guard isUsed, let window = try table.optionalSize("sliding_window"), window < positions else { return }
    throw table.wrongValue(
      "sliding_window", expected: "none, or at least max_position_embeddings \(positions)", found: "\(window)"
    )
  }
}
