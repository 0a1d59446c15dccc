import ClientData
import Safetensors
import TestSupport
import Testing

/// A prepared data set in a temporary folder of its own, each part of which a test can spoil.
final class DataFolder {
  private let folder: TemporaryFolder
  var path: String { folder.path }
  var rows: [[Int32]]
  var labels: [Int32]
  var groups: [Int32]?
  var tokenTypes: [UInt8]?
  /// Set for a generation task, which has no labels.
  var promptLengths: [Int32]?
  /// Set by a test that wants other offsets than those of the rows.
  var offsets: [Int64]?
  /// The fields of `dataset.json` that a test wants otherwise.
  var fields: [String: String] = [:]

  init(rows: [[Int32]], labels: [Int32], groups: [Int32]? = nil, tokenTypes: [UInt8]? = nil) throws {
    folder = try TemporaryFolder()
    (self.rows, self.labels, self.groups, self.tokenTypes) = (rows, labels, groups, tokenTypes)
  }

  var trainPath: String { "\(path)/train.safetensors" }
  var descriptionPath: String { "\(path)/dataset.json" }

  func write() throws {
    let tokens = rows.flatMap { $0 }
    var writer = SafetensorsWriter()
    writer.add(name: "tokens", shape: [tokens.count], integers: tokens)
    let offsets = offsets ?? rows.reduce(into: [0]) { $0.append($0.last! + Int64($1.count)) }
    writer.add(name: "offsets", shape: [offsets.count], integers: offsets)
    if let promptLengths {
      writer.add(name: "promptLengths", shape: [promptLengths.count], integers: promptLengths)
    } else {
      writer.add(name: "labels", shape: [labels.count], integers: labels)
    }
    if let groups { writer.add(name: "groups", shape: [groups.count], integers: groups) }
    if let tokenTypes { writer.add(name: "tokenTypes", shape: [tokenTypes.count], integers: tokenTypes) }
    try writer.write(to: trainPath)
    try writeDescription(tokenCount: tokens.count)
  }

  private func writeDescription(tokenCount: Int) throws {
    var all = [
      "format": "\"florana-dataset\"", "version": "1", "name": "\"toy\"", "task": "\"classification\"",
      "tokenizer": "{\"sha256\": \"ab12\"}", "maximumLength": "16",
      "splits": "{\"train\": {\"rows\": \(rows.count), \"tokens\": \(tokenCount)}}",
    ]
    if promptLengths == nil {
      all["labels"] = "[\"negative\", \"positive\"]"
    } else {
      all.merge(["task": "\"generation\"", "grader": "\"number\"", "stopTokens": "[2]"]) { $1 }
    }
    if groups != nil { all["groups"] = "[\"movie\", \"nyt\"]" }
    all.merge(fields) { $1 }
    let text = all.map { "\"\($0)\": \($1)" }.joined(separator: ", ")
    try folder.write("{\(text)}", to: "dataset.json")
  }

  /// Writes the references of the training rows, one a line.
  func write(references lines: [String]) throws {
    try folder.write(lines.map { $0 + "\n" }.joined(), to: "train.jsonl")
  }

  /// Writes everything and opens it.
  func opened() throws -> Dataset {
    try write()
    return try Dataset(folder: path)
  }

  /// Three rows of 3, 4 and 5 tokens.
  static func small() throws -> DataFolder {
    try DataFolder(rows: [[1, 10, 2], [1, 20, 21, 2], [1, 30, 31, 32, 2]], labels: [0, 1, 1])
  }
}

extension DataFolder {
  /// Expects that the description is refused on account of a field.
  func expectMalformed(field: String, at location: SourceLocation = #_sourceLocation) {
    let error = #expect(throws: ClientDataError.self, sourceLocation: location) { try opened() }
    guard case .malformedDescription(let reason) = error?.problem else {
      Issue.record("another error or none", sourceLocation: location)
      return
    }
    #expect(reason.contains("\"\(field)"), sourceLocation: location)
  }
}
