extension BERTConfiguration {
  /// The values of `model_type` that are of this architecture. What sets them apart is told here alone.
  enum Kind: String, CaseIterable {
    case bert
    case roberta
    case xlmRoBERTa = "xlm-roberta"
    case mpnet
  }

  /// What the parts of a block's attention are called.
  struct AttentionNames {
    let query: String
    let key: String
    let value: String
    let output: String
    let norm: String
    /// What of these names can be left out.
    let path: String
  }

  /// Which token has a row of its own before all positions'.
  enum PaddingToken {
    case none
    /// Whatever the configuration says.
    case always(Int)
    /// That of the configuration; the usual one where it names none.
    case configured(usual: Int)
  }

  /// What a classifier makes of the first token's hidden state.
  enum HeadKind {
    /// The checkpoint's pooler, which is frozen, and an output layer.
    case pooled(output: String)
    /// A layer of the head's own and an output layer.
    case dense(String, output: String)
  }
}

extension BERTConfiguration.Kind {
  /// What transformers calls the encoder inside the model of a task.
  var encoderName: String {
    switch self {
    case .bert: "bert"
    case .roberta, .xlmRoBERTa: "roberta"
    case .mpnet: "mpnet"
    }
  }

  var attention: BERTConfiguration.AttentionNames {
    switch self {
    case .bert, .roberta, .xlmRoBERTa:
      .init(
        query: "attention.self.query", key: "attention.self.key", value: "attention.self.value",
        output: "attention.output.dense", norm: "attention.output.LayerNorm", path: "attention.self.")
    case .mpnet:
      .init(
        query: "attention.attn.q", key: "attention.attn.k", value: "attention.attn.v",
        output: "attention.attn.o", norm: "attention.LayerNorm", path: "attention.attn.")
    }
  }

  var hasTokenTypes: Bool { self != .mpnet }

  /// Whether attention's scores have a term for the distance of query and key.
  var hasRelativeBias: Bool { self == .mpnet }

  var paddingToken: BERTConfiguration.PaddingToken {
    switch self {
    case .bert: .none
    case .roberta, .xlmRoBERTa: .configured(usual: 1)
    case .mpnet: .always(1)
    }
  }

  var head: BERTConfiguration.HeadKind {
    switch self {
    case .bert: .pooled(output: "classifier")
    case .roberta, .xlmRoBERTa, .mpnet: .dense("classifier.dense", output: "classifier.out_proj")
    }
  }
}
