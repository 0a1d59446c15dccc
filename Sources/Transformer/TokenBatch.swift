/// Sequences of different length, packed one after another without padding.
public struct TokenBatch: Sendable, Equatable {
  /// Token ids of all sequences.
  public var tokens: [Int32]
  /// One segment id a token (0 or 1 for sentence pairs); empty where all are 0.
  public var tokenTypes: [UInt8]
  /// Sequence `i` is `tokens[offsets[i]..<offsets[i + 1]]`; the first offset is 0.
  public var offsets: [Int]

  public init(tokens: [Int32], tokenTypes: [UInt8] = [], offsets: [Int]) {
    precondition(offsets.first == 0 && offsets.last == tokens.count, "offsets end at \(offsets.last ?? -1)")
    precondition(tokenTypes.isEmpty || tokenTypes.count == tokens.count, "\(tokenTypes.count) token types")
    self.tokens = tokens
    self.tokenTypes = tokenTypes
    self.offsets = offsets
  }

  public var sequenceCount: Int { offsets.count - 1 }
  public var tokenCount: Int { tokens.count }
}
