/// The shape of a BERT encoder, as `config.json` states it.
struct BERTConfiguration: Sendable, Equatable {
  let hiddenSize: Int
  let layerCount: Int
  let headCount: Int
  let feedForwardSize: Int
  let vocabularySize: Int
  let positionCount: Int
  let tokenTypeCount: Int
  let epsilon: Float
  let activation: Activation

  init(_ table: ConfigurationTable) throws {
    hiddenSize = try table.size("hidden_size")
    layerCount = try table.size("num_hidden_layers")
    headCount = try table.size("num_attention_heads")
    feedForwardSize = try table.size("intermediate_size")
    vocabularySize = try table.size("vocab_size")
    positionCount = try table.size("max_position_embeddings")
    tokenTypeCount = try table.size("type_vocab_size")
    epsilon = Float(try table.positiveNumber("layer_norm_eps"))
    activation = try Self.activation(table)
    try table.requireDivisor("num_attention_heads", of: "hidden_size")
    try table.require("position_embedding_type", "absolute")
    // A decoder's tokens see only those before them, which the attention of this architecture does not do.
    try table.require("is_decoder", false)
  }

  private static func activation(_ table: ConfigurationTable) throws -> Activation {
    let name: String = try table.optionalValue("hidden_act") ?? "gelu"
    guard let activation = Activation(rawValue: name) else {
      throw table.wrongValue(
        "hidden_act", expected: Activation.allCases.map(\.rawValue).joined(separator: ", "),
        found: "\"\(name)\"")
    }
    return activation
  }
}
