internal import Safetensors

/// The rows of one split. Tokens stay in the mapped file: the processes of one node share one copy.
///
/// Row `i` is `tokens[offsets[i]..<offsets[i + 1]]`.
public final class DatasetSplit: Sendable {
  public let name: String
  public let path: String
  /// One label for each row, in `0..<labelCount`; none for generation.
  public let labels: [Int32]
  public let labelCount: Int
  /// One group for each row, in `0..<groupCount`; nil when the data have no groups.
  public let groups: [Int32]?
  public let groupCount: Int
  /// For generation, how many leading tokens of each row are its prompt: at least one, and fewer than the row has.
  public let promptLengths: [Int32]?

  private let file: SafetensorsFile
  nonisolated(unsafe) let tokens: UnsafeBufferPointer<Int32>
  /// 0 for the first sentence of a pair, 1 for the second; nil for single sentences.
  nonisolated(unsafe) let tokenTypes: UnsafeBufferPointer<UInt8>?
  nonisolated(unsafe) let offsets: UnsafeBufferPointer<Int64>

  /// Opens and checks the file against what `dataset.json` says.
  init(path: String, name: String, of description: DatasetDescription) throws(ClientDataError) {
    let reader = try SplitReader(path: path)
    let counts = description.splits[name]!
    tokens = try reader.view("tokens", count: counts.tokens)
    offsets = try reader.view("offsets", count: counts.rows + 1)
    groups = try reader.groups(named: description.groups, count: counts.rows)
    switch description.task {
    case .classification:
      labels = Array(try reader.view("labels", count: counts.rows))
      promptLengths = nil
      tokenTypes = reader.has("tokenTypes") ? try reader.view("tokenTypes", count: counts.tokens) : nil
    case .generation:
      labels = []
      promptLengths = Array(try reader.view("promptLengths", count: counts.rows))
      tokenTypes = nil
    }
    labelCount = description.labels.count
    groupCount = description.groups?.count ?? 0
    file = reader.file
    self.name = name
    self.path = path
    try checkOffsets(maximumLength: description.maximumLength)
    try checkColumns()
    try checkPromptLengths()
    try checkTokens()
  }

  public var rowCount: Int { offsets.count - 1 }

  /// What tells rows apart when they are dealt to clients: the labels, or for generation the groups, if any.
  public var classes: [Int32]? { promptLengths == nil ? labels : groups }

  /// The number of tokens of a row as prepared.
  public func length(ofRow row: Int) -> Int { tokenRange(ofRow: row).count }

  /// The tokens before a row's answer, which a model is to go on from; for generation only.
  public func prompt(ofRow row: Int) -> [Int32] {
    guard let promptLengths else { preconditionFailure("split \(name) has labels, not prompts") }
    return Array(tokens[tokenRange(ofRow: row).prefix(Int(promptLengths[row]))])
  }

  /// The most tokens that a row has.
  var longestRow: Int { (0..<rowCount).lazy.map { self.length(ofRow: $0) }.max() ?? 0 }

  /// Checks that no row has more than `maximumLength` tokens.
  func requireRows(atMost maximumLength: Int) throws(ClientDataError) {
    // The longest row: with room for that, all fit.
    guard let row = (0..<rowCount).max(by: { length(ofRow: $0) < length(ofRow: $1) }),
      length(ofRow: row) > maximumLength
    else { return }
    throw ClientDataError(
      path, .rowBeyondMaximum(row: row, maximum: maximumLength, found: length(ofRow: row)))
  }

  /// Checks that every token id is below `vocabularySize`.
  public func requireTokens(below vocabularySize: Int) throws(ClientDataError) {
    guard let index = tokens.firstIndex(where: { Int($0) >= vocabularySize }) else { return }
    let problem = ClientDataError.Problem.tokenBeyondVocabulary(
      row: row(ofToken: index), vocabularySize: vocabularySize, found: Int(tokens[index]))
    throw ClientDataError(path, problem)
  }

  func tokenRange(ofRow row: Int) -> Range<Int> { Int(offsets[row])..<Int(offsets[row + 1]) }

  /// The row that holds the token at `index` of all tokens.
  func row(ofToken index: Int) -> Int {
    (0..<rowCount).first { tokenRange(ofRow: $0).contains(index) }!
  }
}

/// Reads the tensors of one split and turns the file's errors into this module's.
private struct SplitReader {
  let file: SafetensorsFile

  init(path: String) throws(ClientDataError) {
    do { file = try SafetensorsFile(path: path) } catch {
      throw ClientDataError(path, .tensorFile(error))
    }
  }

  func has(_ name: String) -> Bool { file[name] != nil }

  /// A vector of `count` integers in place.
  func view<Integer: FixedWidthInteger & BitwiseCopyable>(
    _ name: String, count: Int
  ) throws(ClientDataError) -> UnsafeBufferPointer<Integer> {
    let view: UnsafeBufferPointer<Integer>
    do { view = try file.integerView(named: name, as: Integer.self) } catch {
      throw ClientDataError(file.path, .tensorFile(error))
    }
    let found = file[name]?.shape ?? []
    guard found == [count] else {
      throw ClientDataError(file.path, .wrongShape(tensor: name, expected: [count], found: found))
    }
    return view
  }

  /// The group of every row, when groups are named.
  func groups(named names: [String]?, count: Int) throws(ClientDataError) -> [Int32]? {
    guard names != nil else {
      guard !has("groups") else { throw ClientDataError(file.path, .unnamedGroups) }
      return nil
    }
    return Array(try view("groups", count: count))
  }
}
