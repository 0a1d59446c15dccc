internal import Files
internal import Foundation
public import Grading

/// What `dataset.json` says of a prepared data set.
public struct DatasetDescription: Sendable, Equatable, Decodable {
  /// How many rows and tokens a split holds.
  public struct Counts: Sendable, Equatable, Decodable {
    public let rows: Int
    public let tokens: Int
  }

  /// The tokenizer that made the token ids.
  public struct Tokenizer: Sendable, Equatable, Decodable {
    /// SHA-256 of its `tokenizer.json`, hexadecimal.
    public let sha256: String
  }

  /// What a model is to do with a row.
  public enum Task: Sendable, Equatable {
    /// To name one of the labels 0, 1, … of these names.
    case classification(labels: [String])
    /// To go on from the row's prompt. The grader says whether an answer is right; each of the tokens ends one.
    case generation(grader: Grader, stopTokens: [Int32])
  }

  public let name: String
  public let task: Task
  /// The names of the groups 0, 1, … (natural clients); nil when rows carry no group.
  public let groups: [String]?
  public let tokenizer: Tokenizer
  /// No row is longer, in tokens, special tokens included.
  public let maximumLength: Int
  public let source: String?
  /// By name of the split; the rows of split `train` are in `train.safetensors`.
  public let splits: [String: Counts]

  /// The names of the labels 0, 1, …; none for generation.
  public var labels: [String] {
    guard case .classification(let labels) = task else { return [] }
    return labels
  }

  /// The names of what `DatasetSplit.classes` counts: labels, or for generation the groups, if any.
  public var classNames: [String] {
    guard case .generation = task else { return labels }
    return groups ?? []
  }

  static let format = "florana-dataset"
  static let version = 1
  static let tasks = ["classification", "generation"]

  /// Reads and checks the file at `path`.
  init(path: String) throws(ClientDataError) {
    guard let text = FileManager.default.contents(atPath: path) else {
      throw ClientDataError(path, .missingFile)
    }
    let stamp = try Self.decode(Stamp.self, text, path)
    guard stamp.format == Self.format else { throw ClientDataError(path, .wrongFormat(found: stamp.format)) }
    guard stamp.version == Self.version else {
      throw ClientDataError(path, .wrongVersion(found: stamp.version))
    }
    guard Self.tasks.contains(stamp.task) else {
      throw ClientDataError(path, .unknownTask(found: stamp.task))
    }
    self = try Self.decode(Self.self, text, path)
    if let reason = contradiction { throw ClientDataError(path, .malformedDescription(reason: reason)) }
  }

  /// What cannot be true of any data, or nil.
  private var contradiction: String? {
    switch task {
    case .classification(let labels): if labels.isEmpty { return "\"labels\": no label" }
    case .generation(_, let stopTokens):
      if stopTokens.isEmpty { return "\"stopTokens\": no token" }
      if let token = stopTokens.first(where: { $0 < 0 }) { return "\"stopTokens\": \(token)" }
    }
    if groups?.isEmpty == true { return "\"groups\": no group" }
    if maximumLength < 1 { return "\"maximumLength\": \(maximumLength)" }
    for (name, counts) in splits.sorted(by: { $0.key < $1.key }) {
      if name.isEmpty || name.contains("/") { return "\"splits\": \"\(name)\" is no name of a file" }
      guard counts.tokens < Int.max, counts.rows >= 1, counts.rows <= counts.tokens else {
        return "\"splits.\(name)\": \(counts.rows) rows of \(counts.tokens) tokens"
      }
    }
    return nil
  }

  /// What says how to read the rest.
  private struct Stamp: Decodable {
    let format: String
    let version: Int
    let task: String
  }

  private static func decode<Value: Decodable>(
    _ type: Value.Type, _ text: Data, _ path: String
  ) throws(ClientDataError) -> Value {
    do { return try JSONDecoder().decode(type, from: text) } catch {
      throw ClientDataError(path, .malformedDescription(reason: reason(ofDecodingError: error)))
    }
  }
}

extension DatasetDescription {
  private enum Key: String, CodingKey {
    case name, task, labels, grader, stopTokens, groups, tokenizer, maximumLength, source, splits
  }

  public init(from decoder: any Decoder) throws {
    let fields = try decoder.container(keyedBy: Key.self)
    name = try fields.decode(String.self, forKey: .name)
    if try fields.decode(String.self, forKey: .task) == "generation" {
      task = .generation(
        grader: try fields.decode(Grader.self, forKey: .grader),
        stopTokens: try fields.decode([Int32].self, forKey: .stopTokens))
    } else {
      task = .classification(labels: try fields.decode([String].self, forKey: .labels))
    }
    groups = try fields.decodeIfPresent([String].self, forKey: .groups)
    tokenizer = try fields.decode(Tokenizer.self, forKey: .tokenizer)
    maximumLength = try fields.decode(Int.self, forKey: .maximumLength)
    source = try fields.decodeIfPresent(String.self, forKey: .source)
    splits = try fields.decode([String: Counts].self, forKey: .splits)
  }
}
