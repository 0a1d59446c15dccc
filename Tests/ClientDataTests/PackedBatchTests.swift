import Testing

@testable import ClientData

@Suite struct PackedBatchTests {
  @Test func packsRowsOneAfterAnother() throws {
    let train = try DataFolder.small().opened().split("train")
    let batch = PackedBatch(train, rows: [2, 0], maximumLength: 16)
    #expect(batch.tokens == [1, 30, 31, 32, 2, 1, 10, 2])
    #expect(batch.offsets == [0, 5, 8])
    #expect(batch.labels == [1, 0])
    #expect(batch.tokenTypes == [0, 0, 0, 0, 0, 0, 0, 0])
    #expect(batch.rowCount == 2)
  }

  @Test func cutRowsKeepTheirLastToken() throws {
    let train = try DataFolder.small().opened().split("train")
    let batch = PackedBatch(train, rows: [0, 1, 2], maximumLength: 3)
    #expect(batch.tokens == [1, 10, 2, 1, 20, 2, 1, 30, 2])
    #expect(batch.offsets == [0, 3, 6, 9])
  }

  @Test(arguments: [1, 2]) func rowsAsShortAsTheDataAllowAreWhole(maximum: Int) throws {
    let folder = try DataFolder(rows: [[7], [Int32](repeating: 8, count: maximum)], labels: [0, 1])
    folder.fields["maximumLength"] = "\(maximum)"
    let batch = PackedBatch(try folder.opened().split("train"), rows: [0, 1], maximumLength: maximum)
    #expect(batch.tokens == [7] + [Int32](repeating: 8, count: maximum))
    #expect(batch.offsets == [0, 1, 1 + maximum])
  }

  @Test func cutPairsKeepBothSeparators() throws {
    let folder = try DataFolder(
      rows: [[1, 10, 11, 12, 13, 2, 20, 21, 2]], labels: [1], tokenTypes: [0, 0, 0, 0, 0, 0, 1, 1, 1])
    let batch = PackedBatch(try folder.opened().split("train"), rows: [0], maximumLength: 8)
    #expect(batch.tokens == [1, 10, 11, 12, 2, 20, 21, 2])
    #expect(batch.tokenTypes == [0, 0, 0, 0, 0, 1, 1, 1])
  }

  @Test func refillingGivesTheSameAsANewBatchWithoutAllocating() throws {
    let train = try DataFolder.small().opened().split("train")
    var batch = PackedBatch(train, rows: [0, 1, 2], maximumLength: 16)
    let before = batch.tokens.withUnsafeBufferPointer { $0.baseAddress }
    batch.fill(train, rows: [1], maximumLength: 16)
    #expect(batch == PackedBatch(train, rows: [1], maximumLength: 16))
    #expect(batch.tokens.withUnsafeBufferPointer { $0.baseAddress } == before)
  }

  @Test func emptyBatchHasOneOffset() throws {
    let train = try DataFolder.small().opened().split("train")
    #expect(PackedBatch(train, rows: [], maximumLength: 16) == PackedBatch())
    #expect(PackedBatch().offsets == [0])
  }
}

@Suite struct TruncationTests {
  /// Words of the two sentences and the maximum, then the words that remain: as Hugging Face's `tokenizers` 0.23
  /// cut them with the template `[CLS] $A [SEP] $B [SEP]`.
  @Test(arguments: [
    (5, 5, 8, 2, 3), (9, 2, 8, 3, 2), (2, 9, 8, 2, 3), (3, 4, 8, 2, 3), (4, 3, 8, 3, 2), (7, 7, 9, 3, 3),
    (8, 7, 9, 3, 3), (7, 8, 10, 3, 4), (6, 1, 4, 1, 0), (1, 6, 4, 0, 1), (2, 2, 3, 0, 0), (20, 20, 12, 4, 5),
    (9, 0, 5, 2, 0), (20, 3, 10, 4, 3), (3, 20, 10, 3, 4),
  ])
  func pairsAreCutLongestFirst(first: Int, second: Int, maximum: Int, keptFirst: Int, keptSecond: Int) {
    let cut = Truncation(
      length: first + second + 3, secondSentence: first + 2, maximumLength: maximum)
    #expect(cut.head == 0..<1 + keptFirst)
    #expect(cut.middle == first + 1..<first + 2 + keptSecond)
    #expect(cut.tail == first + second + 2..<first + second + 3)
  }

  @Test func singleSentenceKeepsBeginningAndLastToken() {
    let cut = Truncation(length: 11, secondSentence: nil, maximumLength: 5)
    #expect(cut.runs.flatMap { Array($0) } == [0, 1, 2, 3, 10])
  }

  @Test(arguments: [nil, 4]) func rowThatFitsIsWhole(second: Int?) {
    let cut = Truncation(length: 8, secondSentence: second, maximumLength: 8)
    #expect(cut.runs.flatMap { Array($0) } == Array(0..<8))
  }
}

@Suite struct EvaluationChunkTests {
  private func split() throws -> DatasetSplit {
    let lengths = [4, 3, 5, 3, 4, 3]
    let folder = try DataFolder(
      rows: lengths.map { [Int32](repeating: 1, count: $0) }, labels: [0, 0, 0, 1, 1, 1])
    return try folder.opened().split("train")
  }

  @Test func chunksAscendInLengthAndKeepTheOrderOfEqualRows() throws {
    #expect(try split().evaluationChunks(size: 4) == [[1, 3, 5, 0], [4, 2]])
  }

  @Test func chunksOfSomeRows() throws {
    #expect(try split().evaluationChunks(of: [2, 4, 0], size: 2) == [[4, 0], [2]])
    #expect(try split().evaluationChunks(of: [], size: 2) == [])
  }
}
