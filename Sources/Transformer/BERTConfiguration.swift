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

  init(_ folder: ModelFolder) throws {
    hiddenSize = try folder.size("hidden_size")
    layerCount = try folder.size("num_hidden_layers")
    headCount = try folder.size("num_attention_heads")
    feedForwardSize = try folder.size("intermediate_size")
    vocabularySize = try folder.size("vocab_size")
    positionCount = try folder.size("max_position_embeddings")
    tokenTypeCount = try folder.size("type_vocab_size")
    epsilon = try Self.epsilon(folder)
    activation = try Self.activation(folder)
    try Self.checkHeads(headCount, hiddenSize, folder)
    try Self.checkPositions(folder)
    try Self.checkDirection(folder)
  }

  private static func epsilon(_ folder: ModelFolder) throws -> Float {
    let value: Double = try folder.value("layer_norm_eps")
    guard value > 0, value.isFinite else {
      throw ModelError.wrongValue(
        key: "layer_norm_eps", path: folder.configurationPath, expected: "a positive number",
        found: "\(value)")
    }
    return Float(value)
  }

  private static func activation(_ folder: ModelFolder) throws -> Activation {
    let name: String = try folder.optionalValue("hidden_act") ?? "gelu"
    guard let activation = Activation(rawValue: name) else {
      throw ModelError.wrongValue(
        key: "hidden_act", path: folder.configurationPath,
        expected: Activation.allCases.map(\.rawValue).joined(separator: ", "), found: "\"\(name)\"")
    }
    return activation
  }

  private static func checkHeads(_ heads: Int, _ hidden: Int, _ folder: ModelFolder) throws {
    guard hidden % heads == 0 else {
      throw ModelError.wrongValue(
        key: "num_attention_heads", path: folder.configurationPath,
        expected: "a divisor of hidden_size \(hidden)", found: "\(heads)")
    }
  }

  private static func checkPositions(_ folder: ModelFolder) throws {
    let kind: String = try folder.optionalValue("position_embedding_type") ?? "absolute"
    guard kind == "absolute" else {
      throw ModelError.wrongValue(
        key: "position_embedding_type", path: folder.configurationPath, expected: "\"absolute\"",
        found: "\"\(kind)\"")
    }
  }

  /// A decoder's tokens see only those before them, which the attention here does not do.
  private static func checkDirection(_ folder: ModelFolder) throws {
    guard try folder.optionalValue("is_decoder", as: Bool.self) != true else {
      throw ModelError.wrongValue(
        key: "is_decoder", path: folder.configurationPath, expected: "false", found: "true")
    }
  }
}
