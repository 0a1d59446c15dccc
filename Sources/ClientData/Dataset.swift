/// A prepared, tokenised data set: a folder with `dataset.json` and one tensor file for each split.
public struct Dataset: Sendable {
  public let folder: String
  public let description: DatasetDescription
  private let splits: [String: DatasetSplit]

  /// Opens the folder and checks every row of every split.
  public init(folder: String) throws(ClientDataError) {
    let description = try DatasetDescription(path: "\(folder)/dataset.json")
    var splits: [String: DatasetSplit] = [:]
    for name in description.splits.keys.sorted() {
      splits[name] = try DatasetSplit(path: "\(folder)/\(name).safetensors", name: name, of: description)
    }
    self.folder = folder
    self.description = description
    self.splits = splits
  }

  /// The split of that name, such as `train` or `test`.
  public func split(_ name: String) throws(ClientDataError) -> DatasetSplit {
    guard let split = splits[name] else {
      throw ClientDataError(
        descriptionPath, .noSuchSplit(wanted: name, available: splits.keys.sorted()))
    }
    return split
  }

  /// Checks that every token id is a row of an embedding table of `vocabularySize` rows.
  public func requireTokens(below vocabularySize: Int) throws(ClientDataError) {
    for name in splits.keys.sorted() { try splits[name]!.requireTokens(below: vocabularySize) }
    guard case .generation(_, let stopTokens) = description.task,
      let token = stopTokens.first(where: { Int($0) >= vocabularySize })
    else { return }
    throw ClientDataError(
      descriptionPath, .stopTokenBeyondVocabulary(vocabularySize: vocabularySize, found: Int(token)))
  }

  /// Checks that rows of at most `maximumLength` tokens are whole: of generation, whose answers are never cut, every
  /// row is that short. Rows of classification are cut and always fit.
  public func requireRows(atMost maximumLength: Int) throws(ClientDataError) {
    guard case .generation = description.task else { return }
    for name in splits.keys.sorted() { try splits[name]!.requireRows(atMost: maximumLength) }
  }

  /// Checks that the data were made by the tokenizer whose `tokenizer.json` has this SHA-256 (hexadecimal).
  public func requireTokenizer(sha256: String) throws(ClientDataError) {
    let found = description.tokenizer.sha256
    guard found.lowercased() == sha256.lowercased() else {
      throw ClientDataError(descriptionPath, .otherTokenizer(expected: sha256, found: found))
    }
  }

  /// The most tokens that a row has.
  public var longestRow: Int { splits.values.map(\.longestRow).max() ?? 0 }

  /// The names of a split's files.
  public func fileNames(ofSplit name: String) -> [String] {
    if case .generation = description.task { return ["\(name).safetensors", "\(name).jsonl"] }
    return ["\(name).safetensors"]
  }

  var descriptionPath: String { "\(folder)/dataset.json" }
}
