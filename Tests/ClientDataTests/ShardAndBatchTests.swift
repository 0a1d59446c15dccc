import Testing

@testable import ClientData

@Suite struct ClientShardTests {
  private func dealt(_ rowCount: Int, _ clients: Int, minimumRows: Int = 1) throws -> Partition {
    try Partition(
      labels: [Int32](repeating: 0, count: rowCount), kind: .iid, clientCount: clients, seed: 1,
      minimumRows: minimumRows)
  }

  @Test func heldOutAndTrainRowsMakeTheClientsRows() throws {
    let partition = try dealt(105, 4)
    let shards = try partition.shards(heldOut: 0.1, seed: 9)
    for (client, shard) in shards.enumerated() {
      #expect(shard.id == client)
      #expect((shard.trainRows + shard.heldOutRows).sorted() == partition.rows[client])
      #expect(shard.heldOutRows.count == 3)
      #expect(shard.heldOutRows == shard.heldOutRows.sorted())
    }
  }

  @Test(arguments: [(2, 0.01, 1), (2, 0.99, 1), (3, 0.99, 2), (1, 0.5, 0), (10, 0, 0), (10, 0.25, 3)])
  func numberOfHeldOutRows(rows: Int, fraction: Double, expected: Int) throws {
    let shard = try dealt(rows, 1).shards(heldOut: fraction, seed: 1)[0]
    #expect(shard.heldOutRows.count == expected)
    #expect(shard.trainRows.count == rows - expected)
  }

  @Test func heldOutRowsStayAsTheyWereFirstReleased() throws {
    let shards = try dealt(20, 2).shards(heldOut: 0.3, seed: 1)
    #expect(shards.map(\.heldOutRows) == [[13, 17, 18], [0, 14, 16]])
  }

  @Test func seedDecides() throws {
    let partition = try dealt(200, 2)
    #expect(try partition.shards(heldOut: 0.2, seed: 1) == partition.shards(heldOut: 0.2, seed: 1))
    #expect(try partition.shards(heldOut: 0.2, seed: 1) != partition.shards(heldOut: 0.2, seed: 2))
  }
}

@Suite struct BatchScheduleTests {
  private let rows = (0..<23).map { $0 * 3 }

  private func schedule(client: Int = 0, batchSize: Int = 5, seed: UInt64 = 1) -> BatchSchedule {
    BatchSchedule(client: client, rows: rows, batchSize: batchSize, seed: seed)
  }

  @Test func anEpochHasEveryRowOnceAndEndsShort() {
    let schedule = schedule()
    #expect(schedule.stepsPerEpoch == 5)
    for epoch in 0..<3 {
      let batches = schedule.batches(ofSteps: epoch * 5..<(epoch + 1) * 5)
      #expect(batches.map(\.count) == [5, 5, 5, 5, 3])
      #expect(batches.joined().sorted() == rows)
    }
  }

  @Test func epochsAreShuffledDifferently() {
    let schedule = schedule()
    #expect(schedule.batches(ofSteps: 0..<5) != schedule.batches(ofSteps: 5..<10))
  }

  @Test func stepsContinueAcrossRounds() {
    let schedule = schedule()
    let rounds = (1...4).map { schedule.batches(round: $0, stepsPerRound: 3) }
    #expect(Array(rounds.joined()) == schedule.batches(ofSteps: 0..<12))
    #expect(schedule.batches(ofSteps: 7..<8) == [rounds[2][1]])
  }

  @Test func seedAndClientDecide() {
    let batches = schedule().batches(ofSteps: 0..<5)
    #expect(batches == schedule().batches(ofSteps: 0..<5))
    #expect(batches != schedule(seed: 2).batches(ofSteps: 0..<5))
    #expect(batches != schedule(client: 1).batches(ofSteps: 0..<5))
  }

  @Test func smallClientsBatchIsAllItsRows() {
    let schedule = schedule(batchSize: 64)
    #expect(schedule.stepsPerEpoch == 1)
    #expect(schedule.batches(ofSteps: 3..<5).map { $0.sorted() } == [rows, rows])
  }

  @Test func orderStaysAsItWasFirstReleased() {
    let schedule = BatchSchedule(client: 3, rows: Array(0..<8), batchSize: 4, seed: 1)
    #expect(schedule.batches(ofSteps: 1..<4) == [[1, 5, 7, 0], [6, 1, 0, 2], [3, 5, 4, 7]])
  }

  @Test(arguments: [1 << 20, 10_000_000 * 1_000_000]) func epochsAreCountedBeyondTheBitsOfAStep(epoch: Int) {
    let schedule = schedule(batchSize: 64)
    let orders = [0, epoch - 1, epoch].map { schedule.batches(ofSteps: $0..<$0 + 1) }
    #expect(Set(orders).count == 3)
    #expect(orders.allSatisfy { $0.count == 1 && $0[0].sorted() == rows })
  }

  @Test func roundOfWholeEpochs() {
    let schedule = schedule()
    #expect(schedule.steps(epochs: 2) == 10)
    let second = schedule.batches(round: 2, stepsPerRound: schedule.steps(epochs: 2))
    #expect(second == schedule.batches(ofSteps: 10..<20))
  }
}

@Suite struct PartitionTableTests {
  private let table = PartitionTable(
    shards: [
      ClientShard(id: 0, trainRows: [0, 1, 2], heldOutRows: [3]),
      ClientShard(id: 1, trainRows: [4, 5], heldOutRows: []),
    ],
    labels: [0, 1, 1, 0, 1, 1], labelNames: ["negative", "so, so"])

  @Test func countsRowsByClientAndLabel() {
    #expect(table.entries[0] == .init(client: 0, train: [1, 2], heldOut: [1, 0]))
    #expect(table.entries[1] == .init(client: 1, train: [0, 2], heldOut: [0, 0]))
  }

  @Test func commaSeparatedValues() {
    #expect(
      table.csv == """
        client,part,negative,"so, so",rows
        0,train,1,2,3
        0,heldOut,1,0,1
        1,train,0,2,2
        1,heldOut,0,0,0

        """)
  }

  @Test func ofManyClientsTheFirstAreShown() {
    let shards = (0..<40).map { ClientShard(id: $0, trainRows: [0, 1], heldOutRows: [2]) }
    let many = PartitionTable(shards: shards, labels: [0, 1, 1], labelNames: ["no", "yes"])
    let lines = many.text.split(separator: "\n")
    #expect(lines.count == 1 + 2 * 32 + 2 + 1 && lines.last == "the first 32 of 40 clients")
    #expect(lines[lines.count - 3].split(separator: " ") == ["all", "train", "40", "40", "80"])
    #expect(many.csv.split(separator: "\n").count == 1 + 2 * 40)
    #expect(!table.text.contains("the first"))
  }

  @Test func alignedText() {
    #expect(
      table.text == """
        client  part     negative  so, so  rows
        0       train           1       2     3
        0       heldOut         1       0     1
        1       train           0       2     2
        1       heldOut         0       0     0
        all     train           1       4     5
        all     heldOut         1       0     1

        """)
  }
}
