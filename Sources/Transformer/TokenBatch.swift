/// Sequences of different length, packed one after another without padding.
public struct TokenBatch: Sendable, Equatable {
  /// Token ids of all sequences.
  public var tokens: [Int32]
  /// One segment id a token (0 or 1 for sentence pairs); empty where all are 0.
  public var tokenTypes: [UInt8]
  /// Sequence `i` is `tokens[offsets[i]..<offsets[i + 1]]`; the first offset is 0.
  public var offsets: [Int]
  /// What a model is to make of the sequences; nil where nothing is compared.
  public var targets: Targets?

  /// What is asked of a model.
  public enum Targets: Sendable, Equatable {
    /// One label a sequence, each below the number of labels.
    case labels([Int32])
    /// The tokens of each sequence behind its prompt, whose length is given: each from those before it.
    case answers(promptLengths: [Int])

    /// For how many sequences.
    fileprivate var count: Int {
      switch self {
      case .labels(let labels): labels.count
      case .answers(let promptLengths): promptLengths.count
      }
    }
  }

  public init(tokens: [Int32], tokenTypes: [UInt8] = [], offsets: [Int], targets: Targets? = nil) {
    precondition(offsets.first == 0 && offsets.last == tokens.count, "offsets end at \(offsets.last ?? -1)")
    precondition(tokenTypes.isEmpty || tokenTypes.count == tokens.count, "\(tokenTypes.count) token types")
    let targetCount = targets?.count ?? offsets.count - 1
    precondition(
      targetCount == offsets.count - 1, "\(targetCount) targets for \(offsets.count - 1) sequences")
    self.tokens = tokens
    self.tokenTypes = tokenTypes
    self.offsets = offsets
    self.targets = targets
  }

  public var sequenceCount: Int { offsets.count - 1 }
  public var tokenCount: Int { tokens.count }
}
