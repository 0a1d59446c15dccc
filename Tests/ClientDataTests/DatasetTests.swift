import Foundation
import Safetensors
import Testing

@testable import ClientData

@Suite struct DatasetTests {
  @Test func readsRowsLabelsAndGroups() throws {
    let folder = try DataFolder.small()
    folder.groups = [1, 0, 1]
    let dataset = try folder.opened()
    let train = try dataset.split("train")
    #expect(dataset.description.labels == ["negative", "positive"])
    #expect(dataset.description.groups == ["movie", "nyt"])
    #expect(train.rowCount == 3)
    #expect(train.labels == [0, 1, 1])
    #expect(train.groups == [1, 0, 1])
    #expect(train.length(ofRow: 2) == 5)
    #expect(PackedBatch(train, rows: [1], maximumLength: 16).tokens == [1, 20, 21, 2])
  }

  @Test func vocabularyBoundsTheTokens() throws {
    let folder = try DataFolder.small()
    let dataset = try folder.opened()
    try dataset.requireTokens(below: 33)
    let problem = ClientDataError.Problem.tokenBeyondVocabulary(row: 2, vocabularySize: 31, found: 31)
    #expect(throws: ClientDataError(folder.trainPath, problem)) { try dataset.requireTokens(below: 31) }
  }

  @Test func tokenizerMustBeTheModels() throws {
    let folder = try DataFolder.small()
    let dataset = try folder.opened()
    try dataset.requireTokenizer(sha256: "AB12")
    let problem = ClientDataError.Problem.otherTokenizer(expected: "ff", found: "ab12")
    #expect(throws: ClientDataError(folder.descriptionPath, problem)) {
      try dataset.requireTokenizer(sha256: "ff")
    }
  }

  @Test func missingSplitNamesThoseThereAre() throws {
    let folder = try DataFolder.small()
    let dataset = try folder.opened()
    let problem = ClientDataError.Problem.noSuchSplit(wanted: "test", available: ["train"])
    #expect(throws: ClientDataError(folder.descriptionPath, problem)) { try dataset.split("test") }
  }

  @Test func messageSaysFileRowExpectedAndFound() {
    let error = ClientDataError("d/train.safetensors", .labelOutOfRange(row: 7, count: 2, found: 3))
    #expect(error.description == "d/train.safetensors: row 7: expected a label in 0..<2, found 3")
  }
}

/// One test per way in which a data set can be wrong.
@Suite struct MalformedDatasetTests {
  private let folder: DataFolder

  init() throws { folder = try DataFolder.small() }

  private func expect(_ problem: ClientDataError.Problem, at location: SourceLocation = #_sourceLocation) {
    #expect(throws: ClientDataError(folder.trainPath, problem), sourceLocation: location) {
      try folder.opened()
    }
  }

  private func expect(
    _ field: String, _ value: String, gives problem: ClientDataError.Problem,
    at location: SourceLocation = #_sourceLocation
  ) {
    folder.fields[field] = value
    #expect(throws: ClientDataError(folder.descriptionPath, problem), sourceLocation: location) {
      try folder.opened()
    }
  }

  @Test func missingDescription() {
    #expect(throws: ClientDataError(folder.descriptionPath, .missingFile)) {
      try Dataset(folder: folder.path)
    }
  }

  @Test func missingTensorFile() throws {
    try folder.write()
    try FileManager.default.removeItem(atPath: folder.trainPath)
    let error = #expect(throws: ClientDataError.self) { try Dataset(folder: folder.path) }
    guard case .tensorFile(let inner) = error?.problem else {
      Issue.record("another error or none")
      return
    }
    #expect(inner.problem == .cannotRead(reason: "No such file or directory"))
    #expect(error?.description == inner.description)
  }

  @Test func otherFormat() { expect("format", "\"other\"", gives: .wrongFormat(found: "other")) }

  @Test func otherVersion() { expect("version", "2", gives: .wrongVersion(found: 2)) }

  @Test func otherTask() { expect("task", "\"translation\"", gives: .unknownTask(found: "translation")) }

  @Test(arguments: [
    ("labels", "[]"), ("groups", "[]"), ("maximumLength", "0"),
    ("splits", "{\"a/b\":{\"rows\":1,\"tokens\":1}}"),
    ("splits", "{\"train\":{\"rows\":0,\"tokens\":0}}"), ("splits", "{\"train\":{\"rows\":4,\"tokens\":3}}"),
    ("splits", "{\"train\":{\"rows\":\(Int.max),\"tokens\":\(Int.max)}}"),
    ("splits", "{\"train\":{\"rows\":1}}"),
    ("labels", "3"), ("tokenizer", "{}"), ("version", "\"1\""),
  ])
  func malformedDescription(field: String, value: String) {
    folder.fields[field] = value
    folder.expectMalformed(field: field)
  }

  @Test(arguments: [(2, 12), (4, 12), (3, 11), (3, 13)])
  func countsOfTheDescription(rows: Int, tokens: Int) {
    folder.fields["splits"] = "{\"train\": {\"rows\": \(rows), \"tokens\": \(tokens)}}"
    expect(
      tokens == 12
        ? .wrongShape(tensor: "offsets", expected: [rows + 1], found: [4])
        : .wrongShape(tensor: "tokens", expected: [tokens], found: [12]))
  }

  @Test func numberOfLabels() {
    folder.labels = [0, 1]
    expect(.wrongShape(tensor: "labels", expected: [3], found: [2]))
  }

  @Test func numberOfGroups() {
    folder.groups = [0, 1]
    expect(.wrongShape(tensor: "groups", expected: [3], found: [2]))
  }

  @Test func numberOfTokenTypes() {
    folder.tokenTypes = [0, 1]
    expect(.wrongShape(tensor: "tokenTypes", expected: [12], found: [2]))
  }

  @Test func offsetsNotFromZero() {
    folder.offsets = [1, 3, 7, 12]
    expect(.offsetsStart(found: 1))
  }

  @Test func offsetsDescending() {
    folder.offsets = [0, 7, 3, 12]
    expect(.offsetsDescend(row: 1, begin: 7, end: 3))
  }

  @Test func emptyRow() {
    folder.offsets = [0, 3, 3, 12]
    expect(.emptyRow(row: 1))
  }

  @Test func offsetsNotToTheEnd() {
    folder.offsets = [0, 3, 7, 11]
    expect(.offsetsEnd(expected: 12, found: 11))
  }

  @Test func offsetsBeyondTheEnd() {
    folder.offsets = [0, 3, 7, 13]
    expect(.offsetsEnd(expected: 12, found: 13))
  }

  @Test func rowLongerThanDescribed() {
    folder.fields["maximumLength"] = "4"
    expect(.rowTooLong(row: 2, maximum: 4, found: 5))
  }

  @Test(arguments: [-1, 2] as [Int32]) func labelOutOfRange(label: Int32) {
    folder.labels[1] = label
    expect(.labelOutOfRange(row: 1, count: 2, found: Int(label)))
  }

  @Test(arguments: [-1, 2] as [Int32]) func groupOutOfRange(group: Int32) {
    folder.groups = [0, 0, group]
    expect(.groupOutOfRange(row: 2, count: 2, found: Int(group)))
  }

  @Test func groupsWithoutNames() {
    folder.groups = [0, 0, 1]
    folder.fields["groups"] = "null"
    expect(.unnamedGroups)
  }

  @Test func negativeToken() {
    folder.rows[1][2] = -5
    expect(.negativeToken(row: 1, found: -5))
  }

  @Test func tokenTypeOutOfRange() {
    folder.tokenTypes = [0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 0, 0]
    expect(.tokenTypeOutOfRange(row: 2, found: 2))
  }
}
