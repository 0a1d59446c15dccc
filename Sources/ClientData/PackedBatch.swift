/// Rows packed one after another without padding.
///
/// Row `i` is `tokens[offsets[i]..<offsets[i + 1]]`; its positions count from 0.
public struct PackedBatch: Sendable, Equatable {
  /// Token ids of all rows, one after another.
  public private(set) var tokens: [Int32] = []
  /// One for each token: 0, or 1 in the second sentence of a pair.
  public private(set) var tokenTypes: [UInt8] = []
  /// Where each row begins; one more for where the last ends.
  public private(set) var offsets: [Int] = [0]
  /// One for each row; none for generation.
  public private(set) var labels: [Int32] = []
  /// How many leading tokens of each row are its prompt; none for classification.
  public private(set) var promptLengths: [Int32] = []

  /// A batch without rows, to be filled.
  public init() {}

  /// The given rows, each cut to `maximumLength` tokens (at least 3 where a row is longer): a single sentence keeps
  /// its beginning and its last token, a pair is cut "longest first" and keeps its separators. Rows of generation
  /// are not cut: a longer one traps (`Dataset.requireRows(atMost:)` refuses it before).
  public init(_ split: DatasetSplit, rows: some Collection<Int>, maximumLength: Int) {
    fill(split, rows: rows, maximumLength: maximumLength)
  }

  public var rowCount: Int { offsets.count - 1 }

  /// Replaces the rows, as `init` does; allocates only while the batch is larger than any before it.
  public mutating func fill(_ split: DatasetSplit, rows: some Collection<Int>, maximumLength: Int) {
    tokens.removeAll(keepingCapacity: true)
    tokenTypes.removeAll(keepingCapacity: true)
    offsets.removeAll(keepingCapacity: true)
    labels.removeAll(keepingCapacity: true)
    promptLengths.removeAll(keepingCapacity: true)
    offsets.append(0)
    for row in rows {
      append(row, of: split, maximumLength: maximumLength)
      offsets.append(tokens.count)
      if let lengths = split.promptLengths {
        promptLengths.append(lengths[row])
      } else {
        labels.append(split.labels[row])
      }
    }
  }

  private mutating func append(_ row: Int, of split: DatasetSplit, maximumLength: Int) {
    let range = split.tokenRange(ofRow: row)
    precondition(
      split.promptLengths == nil || range.count <= maximumLength,
      "row \(row) of \(range.count) tokens would be cut to \(maximumLength)")
    let cut = Truncation(
      length: range.count, secondSentence: split.secondSentence(in: range), maximumLength: maximumLength)
    append(cut.head, from: range.lowerBound, of: split)
    append(cut.middle, from: range.lowerBound, of: split)
    append(cut.tail, from: range.lowerBound, of: split)
  }

  private mutating func append(_ run: Range<Int>, from start: Int, of split: DatasetSplit) {
    let range = start + run.lowerBound..<start + run.upperBound
    tokens.append(contentsOf: split.tokens[range])
    if let types = split.tokenTypes {
      tokenTypes.append(contentsOf: types[range])
    } else {
      tokenTypes.append(contentsOf: repeatElement(0, count: range.count))
    }
  }
}

extension DatasetSplit {
  /// Where the second sentence of a pair begins, counted from the start of the row at `range`.
  func secondSentence(in range: Range<Int>) -> Int? {
    guard let index = tokenTypes?[range].firstIndex(of: 1) else { return nil }
    return index - range.lowerBound
  }
}
