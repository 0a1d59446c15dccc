import Testing

@testable import ClientData

@Suite struct PartitionTests {
  /// 600 rows of 3 labels in unequal numbers and 4 groups.
  static let labels = (0..<600).map { Int32($0 % 6 < 3 ? 0 : $0 % 6 < 5 ? 1 : 2) }
  static let groups = (0..<600).map { Int32($0 * $0 / 7 % 4) }

  static let kinds: [PartitionKind] = [
    .iid, .dirichlet(alpha: 0.01), .dirichlet(alpha: 0.5), .dirichlet(alpha: 1000),
    .byLabel(shardsPerClient: 2),
    .natural(), .natural(within: .dirichlet(alpha: 0.5)), .natural(within: .byLabel(shardsPerClient: 1)),
  ]

  private func partition(
    _ kind: PartitionKind, clients: Int, seed: UInt64 = 1, minimumRows: Int = 2
  ) throws -> Partition {
    try Partition(
      labels: Self.labels, groups: Self.groups, groupCount: 4, kind: kind, clientCount: clients, seed: seed,
      minimumRows: minimumRows)
  }

  /// The number of rows of each label that each client has.
  private func labelCounts(_ partition: Partition) -> [[Int]] {
    partition.rows.map { rows in
      rows.reduce(into: [0, 0, 0]) { $0[Int(Self.labels[$1])] += 1 }
    }
  }

  @Test(arguments: kinds, [1, 2, 7, 32])
  func everyRowIsDealtOnceAndEveryClientHasTheMinimum(kind: PartitionKind, clients: Int) throws {
    let dealt = try partition(kind, clients: clients)
    #expect(dealt.clientCount == clients)
    #expect(dealt.rows.joined().sorted() == Array(0..<600))
    #expect(dealt.rows.allSatisfy { $0.count >= 2 && $0 == $0.sorted() })
  }

  @Test(arguments: kinds) func sameSeedSameRowsOtherSeedOthers(kind: PartitionKind) throws {
    #expect(try partition(kind, clients: 8) == partition(kind, clients: 8))
    #expect(try partition(kind, clients: 8) != partition(kind, clients: 8, seed: 2))
  }

  @Test func iidCountsDifferByAtMostOne() throws {
    let counts = try partition(.iid, clients: 7).rows.map(\.count)
    #expect(counts == [86, 86, 86, 86, 86, 85, 85])
  }

  @Test func largeConcentrationIsNearlyEven() throws {
    let counts = labelCounts(try partition(.dirichlet(alpha: 1e6), clients: 4))
    // Labels 0, 1, 2 have 300, 200, 100 rows; a share of Dirichlet(1e6) over 4 clients deviates by 2e-4.
    for client in counts { #expect(zip(client, [75, 50, 25]).allSatisfy { abs($0 - $1) <= 1 }, "\(client)") }
  }

  @Test func smallConcentrationGivesEachLabelToOneClient() throws {
    let counts = labelCounts(try partition(.dirichlet(alpha: 1e-4), clients: 4))
    for label in 0..<3 {
      let total = counts.reduce(0) { $0 + $1[label] }
      #expect(counts.map { $0[label] }.max()! >= total - 8, "\(counts)")
    }
  }

  @Test func byLabelGivesFewLabelsToAClient() throws {
    // 600 rows in 6 shards of 100: labels of 300, 200 and 100 rows fill whole shards.
    let counts = labelCounts(try partition(.byLabel(shardsPerClient: 1), clients: 6))
    #expect(counts.allSatisfy { $0.filter { $0 > 0 } == [100] }, "\(counts)")
    let two = labelCounts(try partition(.byLabel(shardsPerClient: 2), clients: 3))
    #expect(two.allSatisfy { $0.reduce(0, +) == 200 && $0.allSatisfy { $0 % 100 == 0 } }, "\(two)")
  }

  @Test func naturalWithTwoClientsForEachGroup() throws {
    let dealt = try partition(.natural(), clients: 8)
    for (client, rows) in dealt.rows.enumerated() {
      #expect(rows.allSatisfy { Self.groups[$0] == Int32(client / 2) })
    }
    for group in 0..<4 {
      #expect(abs(dealt.rows[2 * group].count - dealt.rows[2 * group + 1].count) <= 1)
    }
  }

  @Test func naturalWithOneClientForEachGroupOwnsIt() throws {
    let dealt = try partition(.natural(), clients: 4)
    for group in 0..<4 { #expect(dealt.rows[group] == (0..<600).filter { Self.groups[$0] == Int32(group) }) }
  }

  @Test func naturalWithUnevenShares() throws {
    let owners = try partition(.natural(), clients: 6).rows.map { rows in Set(rows.map { Self.groups[$0] }) }
    #expect(owners == [[0], [0], [1], [1], [2], [3]])
  }

  @Test func naturalWithFewerClientsThanGroups() throws {
    let owners = try partition(.natural(), clients: 3).rows.map { rows in Set(rows.map { Self.groups[$0] }) }
    #expect(owners == [[0, 3], [1], [2]])
  }

  @Test func naturalSplitsOfTwoGroupsAreIndependent() throws {
    // Two groups of the same size must not be split in the same pattern.
    let groups = (0..<200).map { Int32($0 / 100) }
    let dealt = try Partition(
      labels: [Int32](repeating: 0, count: 200), groups: groups, groupCount: 2, kind: .natural(),
      clientCount: 4,
      seed: 3)
    #expect(dealt.rows[0].map { $0 + 100 } != dealt.rows[2])
  }

  @Test func poorClientsTakeTheLastRowsOfTheRichest() throws {
    // So small a concentration deals all rows to one client; the others take from it, lowest id first.
    let labels = [Int32](repeating: 0, count: 6)
    let dealt = try Partition(labels: labels, kind: .dirichlet(alpha: 1e-6), clientCount: 3, seed: 5)
    let rich = dealt.rows.firstIndex { $0.contains(0) }!
    let poor = (0..<3).filter { $0 != rich }
    #expect(dealt.rows[rich] == [0, 1])
    #expect(poor.map { dealt.rows[$0] } == [[4, 5], [2, 3]])
  }

  @Test func splitIsDealtByItsColumns() throws {
    let folder = try DataFolder(
      rows: Self.labels.map { [1, $0, 2] }, labels: Self.labels.map { min($0, 1) },
      groups: Self.groups.map { $0 % 2 })
    let train = try folder.opened().split("train")
    let kind = PartitionKind.natural(within: .dirichlet(alpha: 0.5))
    let expected = try Partition(
      labels: train.labels, groups: train.groups, groupCount: 2, kind: kind, clientCount: 6, seed: 4)
    #expect(try Partition(of: train, kind: kind, clientCount: 6, seed: 4) == expected)
  }

  @Test func dealtRowsStayAsTheyWereFirstReleased() throws {
    let labels = (0..<12).map { Int32($0 % 2) }
    func rows(_ kind: PartitionKind) throws -> [[Int]] {
      try Partition(labels: labels, kind: kind, clientCount: 3, seed: 1).rows
    }
    #expect(try rows(.iid) == [[2, 3, 4, 5], [0, 7, 8, 9], [1, 6, 10, 11]])
    #expect(try rows(.dirichlet(alpha: 0.5)) == [[8, 10], [1, 7, 9, 11], [0, 2, 3, 4, 5, 6]])
    #expect(try rows(.byLabel(shardsPerClient: 1)) == [[0, 2, 4, 8], [1, 7, 9, 11], [3, 5, 6, 10]])
  }

  @Test func largestRemaindersRoundUp() {
    #expect(largestRemainder([0.5, 0.3, 0.2], total: 7) == [4, 2, 1])
    #expect(largestRemainder([0.25, 0.25, 0.25, 0.25], total: 6) == [2, 2, 1, 1])
    #expect(largestRemainder([1, 0], total: 5) == [5, 0])
  }
}

@Suite struct PartitionErrorTests {
  private func expect(
    _ problem: PartitionProblem, of setting: String, _ kind: PartitionKind, clients: Int,
    groups: [Int32]? = nil, at location: SourceLocation = #_sourceLocation
  ) {
    #expect(throws: ClientDataError(setting, .partition(problem)), sourceLocation: location) {
      try Partition(
        labels: [0, 1, 0, 1, 0, 1, 0], groups: groups, groupCount: 2, kind: kind, clientCount: clients,
        seed: 1)
    }
  }

  @Test(arguments: [0, -1]) func noClients(count: Int) {
    expect(.noClients(found: count), of: "clients.count", .iid, clients: count)
  }

  @Test(arguments: [4, 8, Int.max]) func moreClientsThanCanBeFilled(count: Int) {
    expect(
      .tooManyClients(clients: count, rows: 7, minimumRows: 2), of: "clients.count", .iid, clients: count)
  }

  @Test func groupTooSmallForItsClients() {
    expect(
      .groupTooSmall(group: 1, clients: 1, rows: 1, minimumRows: 2), of: "clients.count", .natural(),
      clients: 3, groups: [0, 0, 0, 0, 0, 0, 1])
  }

  @Test func clientOfASmallGroup() {
    expect(
      .clientTooSmall(client: 1, rows: 1, minimumRows: 2), of: "clients.count", .natural(), clients: 2,
      groups: [0, 0, 0, 0, 0, 0, 1])
  }

  @Test(arguments: [4, Int.max]) func moreShardsThanRows(shards: Int) {
    expect(
      .tooManyShards(clients: 2, shardsPerClient: shards, rows: 7), of: "data.partition.shards",
      .byLabel(shardsPerClient: shards), clients: 2)
  }

  @Test func moreShardsThanAGroupHasRows() {
    expect(
      .tooManyShards(clients: 2, shardsPerClient: 3, rows: 4), of: "data.partition.within.shards",
      .natural(within: .byLabel(shardsPerClient: 3)), clients: 3, groups: [0, 0, 0, 0, 1, 1, 1])
  }

  @Test(arguments: [0, -1, .leastNonzeroMagnitude, 0.9e-6, Double.infinity]) func invalidConcentration(
    alpha: Double
  ) {
    expect(
      .invalidConcentration(found: alpha), of: "data.partition.alpha", .dirichlet(alpha: alpha), clients: 2)
    expect(
      .invalidConcentration(found: alpha), of: "data.partition.within.alpha",
      .natural(within: .dirichlet(alpha: alpha)), clients: 2, groups: [0, 0, 0, 0, 1, 1, 1])
  }

  @Test func invalidShardCount() {
    expect(
      .invalidShardCount(found: 0), of: "data.partition.shards", .byLabel(shardsPerClient: 0), clients: 2)
  }

  @Test func naturalWithoutGroups() {
    expect(.noGroups, of: "data.partition.kind", .natural(), clients: 2)
  }

  @Test func naturalWithinNatural() {
    expect(
      .nestedNatural, of: "data.partition.within.kind", .natural(within: .natural()), clients: 2)
  }

  @Test(arguments: [-0.1, 1]) func invalidHeldOut(fraction: Double) throws {
    let dealt = try Partition(labels: [0, 1, 0, 1], kind: .iid, clientCount: 2, seed: 1)
    #expect(throws: ClientDataError("data.held-out", .partition(.invalidHeldOut(found: fraction)))) {
      try dealt.shards(heldOut: fraction, seed: 1)
    }
  }
}

@Suite struct FillingTests {
  /// Row by row, whoever has the most rows gives its last one; the lowest id among equals.
  private func filled(_ dealt: [[Int]], _ minimumRows: Int) -> [[Int]] {
    var dealt = dealt
    for poor in dealt.indices {
      while dealt[poor].count < minimumRows {
        let most = dealt.map(\.count).max()!
        let donor = dealt.firstIndex { $0.count == most }!
        dealt[poor].append(dealt[donor].removeLast())
        dealt[poor].sort()
      }
    }
    return dealt
  }

  @Test(arguments: [
    [0, 5, 0, 9, 5, 1, 0, 9], [0, 0, 0, 0, 0, 24, 0, 0], [1, 1, 7, 6, 5, 4, 0, 1], [3, 3, 3, 3, 3, 3, 3, 3],
    [2, 3, 4, 3, 2, 4, 3, 3],
  ])
  func smallClientsTakeFromTheLargest(counts: [Int]) {
    var next = 0
    let dealt = counts.map { count in
      defer { next += count }
      return Array(next..<next + count)
    }
    for minimumRows in 1...3 {
      var found = dealt
      Dealer(labels: [], minimumRows: minimumRows, seed: 1).fillUp(&found)
      #expect(found == filled(dealt, minimumRows))
      #expect(found.allSatisfy { $0.count >= minimumRows })
    }
  }
}

@Suite struct EmptyGroupTests {
  /// A group that only the test split has owns no client.
  @Test func groupsWithoutARowDoNotCount() throws {
    let groups: [Int32] = [0, 0, 0, 2, 2, 2, 4, 4, 4]
    let partition = try Partition(
      labels: [Int32](repeating: 0, count: 9), groups: groups, groupCount: 5, kind: .natural(),
      clientCount: 3,
      seed: 1)
    #expect(partition.rows == [[0, 1, 2], [3, 4, 5], [6, 7, 8]])
  }
}
