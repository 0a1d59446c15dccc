internal import Foundation

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

  public let name: String
  public let task: String
  /// The names of the labels 0, 1, ….
  public let labels: [String]
  /// The names of the groups 0, 1, … (natural clients); nil when rows carry no group.
  public let groups: [String]?
  public let tokenizer: Tokenizer
  /// No row is longer, in tokens, special tokens included.
  public let maximumLength: Int
  public let source: String?
  /// By name of the split; the rows of split `train` are in `train.safetensors`.
  public let splits: [String: Counts]

  static let format = "florana-dataset"
  static let version = 1
  static let task = "classification"

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
    self = try Self.decode(Self.self, text, path)
    guard task == Self.task else { throw ClientDataError(path, .unknownTask(found: task)) }
    if let reason = contradiction { throw ClientDataError(path, .malformedDescription(reason: reason)) }
  }

  /// What cannot be true of any data, or nil.
  private var contradiction: String? {
    if labels.isEmpty { return "\"labels\": no label" }
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
  }

  private static func decode<Value: Decodable>(
    _ type: Value.Type, _ text: Data, _ path: String
  ) throws(ClientDataError) -> Value {
    do { return try JSONDecoder().decode(type, from: text) } catch {
      throw ClientDataError(path, .malformedDescription(reason: reason(of: error)))
    }
  }

  private static func reason(of error: any Error) -> String {
    switch error {
    case DecodingError.keyNotFound(let key, let context): "no \"\((context.codingPath + [key]).dotted)\""
    case DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context),
      DecodingError.dataCorrupted(let context):
      context.codingPath.isEmpty
        ? context.debugDescription : "\"\(context.codingPath.dotted)\": \(context.debugDescription)"
    default: "\(error)"
    }
  }
}

extension [any CodingKey] {
  fileprivate var dotted: String { map(\.stringValue).joined(separator: ".") }
}
