/// The shape of an encoder of BERT's architecture, as `config.json` states it.
struct BERTConfiguration: Sendable, Equatable {
  let kind: Kind
  let hiddenSize: Int
  let layerCount: Int
  let headCount: Int
  let feedForwardSize: Int
  let vocabularySize: Int
  /// The rows of the table of positions.
  let positionRowCount: Int
  /// The token whose own row of that table lies before those of all other tokens; nil where a position is its row.
  let paddingToken: Int?
  /// 0 where there are no token types.
  let tokenTypeCount: Int
  let epsilon: Float
  let activation: Activation

  /// The longest sequence that has positions.
  var positionCount: Int { positionRowCount - firstPositionRow }

  private var firstPositionRow: Int { paddingToken.map { $0 + 1 } ?? 0 }

  init(_ table: ConfigurationTable, _ kind: Kind) throws {
    self.kind = kind
    hiddenSize = try table.size("hidden_size")
    layerCount = try table.size("num_hidden_layers")
    headCount = try table.size("num_attention_heads")
    feedForwardSize = try table.size("intermediate_size")
    vocabularySize = try table.size("vocab_size")
    positionRowCount = try table.size("max_position_embeddings")
    paddingToken = try Self.paddingToken(table, kind, positionRowCount: positionRowCount)
    tokenTypeCount = kind.hasTokenTypes ? try table.size("type_vocab_size") : 0
    epsilon = Float(try table.positiveNumber("layer_norm_eps"))
    activation = try Self.activation(table)
    try table.requireDivisor("num_attention_heads", of: "hidden_size")
    try table.require("position_embedding_type", "absolute")
    // A decoder's tokens see only those before them, which the attention of this architecture does not do.
    try table.require("is_decoder", false)
    // The loss, and what the logits mean.
    try table.require("problem_type", "single_label_classification")
    if kind.hasRelativeBias {
      try table.require("relative_attention_num_buckets", RelativeBias.bucketCount)
    }
  }

  private static func paddingToken(
    _ table: ConfigurationTable, _ kind: Kind, positionRowCount: Int
  ) throws -> Int? {
    let token: Int
    switch kind.paddingToken {
    case .none: return nil
    case .always(let one): token = one
    case .configured(let usual):
      try table.requireNotNull("pad_token_id")
      token = try table.optionalValue("pad_token_id") ?? usual
    }
    guard token >= 0 else {
      throw table.wrongValue("pad_token_id", expected: "0 or more", found: "\(token)")
    }
    guard token < positionRowCount - 1 else {
      throw table.wrongValue(
        "max_position_embeddings", expected: "more than the padding token \(token) and one after it",
        found: "\(positionRowCount)")
    }
    return token
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

  /// The rows of the table of positions for the tokens of a sequence. Where padding has a row, tokens are counted
  /// behind it, and a padding token, wherever it stands, is not: so does `create_position_ids_from_input_ids` of
  /// transformers.
  func positionRows(of tokens: ArraySlice<Int32>) -> [Int] {
    var next = firstPositionRow
    return tokens.map { token in
      if let paddingToken, Int(token) == paddingToken { return paddingToken }
      defer { next += 1 }
      return next
    }
  }
}
