public import Grading
public import Safetensors

/// What is wrong with a prepared data set, or with how it is to be dealt to clients, and where.
public struct ClientDataError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The file concerned, or the configuration's key.
  public let place: String
  public let problem: Problem

  init(_ place: String, _ problem: Problem) {
    self.place = place
    self.problem = problem
  }

  /// - Parameter withinNatural: Whether it is the kind within a natural partition that asks too much.
  init(partition problem: PartitionProblem, withinNatural: Bool = false) {
    self.init(problem.setting(withinNatural: withinNatural), .partition(problem))
  }

  public var description: String {
    // The files' own errors begin with their paths.
    if case .tensorFile(let error) = problem { return "\(error)" }
    if case .references(let error) = problem { return "\(error)" }
    return "\(place): \(problem)"
  }

  /// The ways to be wrong.
  public enum Problem: Sendable, Equatable {
    case missingFile
    case malformedDescription(reason: String)
    case wrongFormat(found: String)
    case wrongVersion(found: Int)
    case unknownTask(found: String)
    case tensorFile(SafetensorsError)
    case references(ReferencesError)
    /// A tensor's shape disagrees with the counts in `dataset.json`.
    case wrongShape(tensor: String, expected: [Int], found: [Int])
    case offsetsStart(found: Int)
    case offsetsDescend(row: Int, begin: Int, end: Int)
    case emptyRow(row: Int)
    case offsetsEnd(expected: Int, found: Int)
    case rowTooLong(row: Int, maximum: Int, found: Int)
    case labelOutOfRange(row: Int, count: Int, found: Int)
    case groupOutOfRange(row: Int, count: Int, found: Int)
    case unnamedGroups
    case promptLengthOutOfRange(row: Int, length: Int, found: Int)
    case negativeToken(row: Int, found: Int)
    case tokenTypeOutOfRange(row: Int, found: Int)

    case noSuchSplit(wanted: String, available: [String])
    case tokenBeyondVocabulary(row: Int, vocabularySize: Int, found: Int)
    case stopTokenBeyondVocabulary(vocabularySize: Int, found: Int)
    /// A row of a generation task, which is never cut.
    case rowBeyondMaximum(row: Int, maximum: Int, found: Int)
    /// There is nothing to be graded in a classification task.
    case noReferences
    case referenceCount(rows: Int, found: Int)
    case tokenTypeBeyondModel(expected: Int, found: Int)
    case otherTokenizer(expected: String, found: String)

    case partition(PartitionProblem)
  }
}

extension ClientDataError.Problem: CustomStringConvertible {
  public var description: String {
    switch self {
    case .missingFile: "expected a file, found none"
    case .malformedDescription(let reason): "expected a data set's description, found otherwise: \(reason)"
    case .wrongFormat(let found): "expected format \"\(DatasetDescription.format)\", found \"\(found)\""
    case .wrongVersion(let found): "expected version \(DatasetDescription.version), found \(found)"
    case .unknownTask(let found):
      "expected task \(DatasetDescription.tasks.map { "\"\($0)\"" }.joined(separator: " or ")), found \"\(found)\""
    case .tensorFile(let error): "\(error)"
    case .references(let error): "\(error)"
    case .wrongShape(let tensor, let expected, let found):
      "tensor \"\(tensor)\": expected shape \(expected) by dataset.json, found \(found)"
    case .offsetsStart(let found): "expected the first offset to be 0, found \(found)"
    case .offsetsDescend(let row, let begin, let end):
      "row \(row): expected ascending offsets, found \(begin), then \(end)"
    case .emptyRow(let row): "row \(row): expected at least one token, found none"
    case .offsetsEnd(let expected, let found):
      "expected the last offset to be the number of tokens, \(expected), found \(found)"
    case .rowTooLong(let row, let maximum, let found):
      "row \(row): expected at most \(maximum) tokens by dataset.json, found \(found)"
    case .labelOutOfRange(let row, let count, let found):
      "row \(row): expected a label in 0..<\(count), found \(found)"
    case .groupOutOfRange(let row, let count, let found):
      "row \(row): expected a group in 0..<\(count), found \(found)"
    case .unnamedGroups: "expected no tensor \"groups\" because dataset.json names no groups, found one"
    case .promptLengthOutOfRange(let row, let length, let found):
      "row \(row): expected a prompt of at least 1 token and fewer than the row's \(length), found \(found)"
    case .negativeToken(let row, let found): "row \(row): expected token ids ≥ 0, found \(found)"
    case .tokenTypeOutOfRange(let row, let found): "row \(row): expected token types 0 and 1, found \(found)"
    case .noSuchSplit(let wanted, let available):
      "expected a split \"\(wanted)\", found \(available.map { "\"\($0)\"" }.joined(separator: ", "))"
    case .tokenTypeBeyondModel(let expected, let found):
      "expected token types below \(expected) (the model's segments), found \(found)"
    case .tokenBeyondVocabulary(let row, let vocabularySize, let found):
      "row \(row): expected token ids below the model's vocabulary size \(vocabularySize), found \(found)"
    case .stopTokenBeyondVocabulary(let vocabularySize, let found):
      "\"stopTokens\": expected token ids below the model's vocabulary size \(vocabularySize), found \(found)"
    case .rowBeyondMaximum(let row, let maximum, let found):
      "row \(row): expected at most \(maximum) tokens because rows of a generation task are not cut, found \(found): "
        + "raise data.maximum-length or --maximum-length, or prepare shorter rows"
    case .noReferences: "expected a generation task, found classification, which has no reference answers"
    case .referenceCount(let rows, let found):
      "expected a reference answer for each of \(rows) rows, found \(found)"
    case .otherTokenizer(let expected, let found):
      "expected data of the model's tokenizer (sha256 \(expected)), found data of another (sha256 \(found))"
    case .partition(let problem): "\(problem)"
    }
  }
}
