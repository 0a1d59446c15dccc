import Grading
import Testing

@testable import ClientData

@Suite struct GenerationDataTests {
  private let folder: DataFolder

  /// Three rows of 3, 4 and 5 tokens whose prompts have 2, 1 and 4.
  init() throws {
    folder = try DataFolder.small()
    folder.promptLengths = [2, 1, 4]
  }

  @Test func readsPromptsInPlaceOfLabels() throws {
    let dataset = try folder.opened()
    let train = try dataset.split("train")
    #expect(dataset.description.task == .generation(grader: .number, stopTokens: [2]))
    #expect(dataset.description.labels == [])
    #expect(train.labels == [] && train.labelCount == 0)
    #expect(train.rowCount == 3)
    #expect(train.promptLengths == [2, 1, 4])
    #expect(train.prompt(ofRow: 2) == [1, 30, 31, 32])
  }

  @Test func classificationHasNoPrompts() throws {
    folder.promptLengths = nil
    let dataset = try folder.opened()
    #expect(try dataset.split("train").promptLengths == nil)
    #expect(dataset.description.task == .classification(labels: ["negative", "positive"]))
    #expect(PackedBatch(try dataset.split("train"), rows: [0], maximumLength: 16).promptLengths == [])
  }

  @Test func batchesCarryPromptLengths() throws {
    let train = try folder.opened().split("train")
    var batch = PackedBatch(train, rows: [2, 0], maximumLength: 5)
    #expect(batch.promptLengths == [4, 2])
    #expect(batch.labels == [])
    #expect(batch.rowCount == 2)
    batch.fill(train, rows: [1], maximumLength: 5)
    #expect(batch.promptLengths == [1])
  }

  @Test(arguments: [(0, 3, 0), (0, 3, 3), (1, 4, -1), (2, 5, 6)])
  func promptLeavesAnAnswer(row: Int, length: Int, found: Int) {
    folder.promptLengths![row] = Int32(found)
    let problem = ClientDataError.Problem.promptLengthOutOfRange(row: row, length: length, found: found)
    #expect(throws: ClientDataError(folder.trainPath, problem)) { try folder.opened() }
  }

  @Test func numberOfPromptLengths() {
    folder.promptLengths = [1, 1]
    let problem = ClientDataError.Problem.wrongShape(tensor: "promptLengths", expected: [3], found: [2])
    #expect(throws: ClientDataError(folder.trainPath, problem)) { try folder.opened() }
  }

  @Test func rowsAreNeverCut() throws {
    let dataset = try folder.opened()
    try dataset.requireRows(atMost: 5)
    let problem = ClientDataError.Problem.rowBeyondMaximum(row: 2, maximum: 3, found: 5)
    #expect(throws: ClientDataError(folder.trainPath, problem)) { try dataset.requireRows(atMost: 3) }
  }

  @Test func rowsOfClassificationAreCutToAnyLength() throws {
    folder.promptLengths = nil
    try folder.opened().requireRows(atMost: 3)
  }

  @Test(arguments: [
    ("grader", "\"taste\""), ("grader", "null"), ("stopTokens", "[]"), ("stopTokens", "[-1]"),
    ("stopTokens", "\"2\""),
  ])
  func malformedDescription(field: String, value: String) {
    folder.fields[field] = value
    folder.expectMalformed(field: field)
  }

  @Test func stopTokensAreOfTheVocabulary() throws {
    folder.fields["stopTokens"] = "[2, 40]"
    let dataset = try folder.opened()
    try dataset.requireTokens(below: 41)
    let problem = ClientDataError.Problem.stopTokenBeyondVocabulary(vocabularySize: 40, found: 40)
    #expect(throws: ClientDataError(folder.descriptionPath, problem)) {
      try dataset.requireTokens(below: 40)
    }
  }
}

@Suite struct ReferencesOfDataTests {
  private let folder: DataFolder
  private let line = #"{"prompt": "2 and 2", "answer": "2 + 2 = 4 #### 4", "number": "4"}"#

  init() throws {
    folder = try DataFolder.small()
    folder.promptLengths = [2, 1, 4]
  }

  @Test func oneForEachRow() throws {
    try folder.write(references: [line, line, line])
    #expect(try folder.opened().references(of: "train").count == 3)
  }

  @Test func tooFew() throws {
    try folder.write(references: [line, line])
    let dataset = try folder.opened()
    let path = "\(folder.path)/train.jsonl"
    #expect(throws: ClientDataError(path, .referenceCount(rows: 3, found: 2))) {
      try dataset.references(of: "train")
    }
  }

  @Test func fileErrorsAreToldOnce() throws {
    try folder.write(references: [line, "{}", line])
    let dataset = try folder.opened()
    let error = #expect(throws: ClientDataError.self) { try dataset.references(of: "train") }
    #expect(
      error?.description
        == "\(folder.path)/train.jsonl:2: expected a reference for the grader \"number\", found no \"prompt\""
    )
  }

  @Test func classificationHasNone() throws {
    folder.promptLengths = nil
    let dataset = try folder.opened()
    #expect(throws: ClientDataError(folder.descriptionPath, .noReferences)) {
      try dataset.references(of: "train")
    }
  }
}

@Suite struct GenerationPartitionTests {
  /// 40 rows in two groups by turns, or in none.
  private func split(hasGroups: Bool) throws -> DatasetSplit {
    let folder = try DataFolder(rows: (0..<40).map { [1, $0, 2] }, labels: [])
    folder.promptLengths = [Int32](repeating: 1, count: 40)
    if hasGroups { folder.groups = (0..<40).map { $0 % 2 } }
    return try folder.opened().split("train")
  }

  @Test func groupsAreTheClasses() throws {
    let train = try split(hasGroups: true)
    let dealt = try Partition(of: train, kind: .byLabel(shardsPerClient: 1), clientCount: 2, seed: 1)
    #expect(Set(dealt.rows.map { Set($0.map { $0 % 2 }) }) == [[0], [1]])
    let skewed = try Partition(
      of: train, kind: .dirichlet(alpha: 1e-4), clientCount: 2, seed: 1, minimumRows: 1)
    // Nearly all rows of a group go to one client.
    let counts = skewed.rows.map { rows in rows.count { $0 % 2 == 0 } }
    #expect(counts.max()! >= 19)
  }

  @Test(arguments: [
    PartitionKind.dirichlet(alpha: 1), .byLabel(shardsPerClient: 1), .natural(within: .dirichlet(alpha: 1)),
  ])
  func withoutGroupsThereAreNoClasses(kind: PartitionKind) throws {
    let train = try split(hasGroups: false)
    #expect(throws: ClientDataError("data.partition.kind", .partition(.noClasses))) {
      try Partition(of: train, kind: kind, clientCount: 2, seed: 1)
    }
  }

  @Test func withoutGroupsRowsCanBeDealtAtRandom() throws {
    let train = try split(hasGroups: false)
    let dealt = try Partition(of: train, kind: .iid, clientCount: 4, seed: 1)
    #expect(dealt.rows.map(\.count) == [10, 10, 10, 10])
    let shards = try dealt.shards(heldOut: 0.2, seed: 1)
    let table = PartitionTable(shards: shards, labels: train.classes, labelNames: [])
    #expect(table.csv.hasPrefix("client,part,rows\n0,train,8\n0,heldOut,2\n"))
    #expect(table.text.contains("all     train      32\n"))
  }
}
