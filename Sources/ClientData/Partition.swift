/// Which rows belong to which client; every row is dealt to exactly one.
///
/// A pure function of the rows' classes and groups, the kind, the number of clients and the seed.
public struct Partition: Sendable, Equatable {
  /// The rows of each client, ascending.
  public let rows: [[Int]]

  public var clientCount: Int { rows.count }

  /// Deals the rows of `split` by its classes; `minimumRows` is the fewest that a client may end up with.
  public init(
    of split: DatasetSplit, kind: PartitionKind, clientCount: Int, seed: UInt64, minimumRows: Int = 2
  ) throws(ClientDataError) {
    try kind.check()
    // Where rows have no class, the kinds that are left need none.
    if split.classes == nil, kind.needsClasses { throw ClientDataError(partition: .noClasses) }
    try self.init(
      labels: split.classes ?? [Int32](repeating: 0, count: split.rowCount), groups: split.groups,
      groupCount: split.groupCount, kind: kind,
      clientCount: clientCount, seed: seed, minimumRows: minimumRows)
  }

  /// Deals rows that have these labels and groups.
  ///
  /// A client that is dealt fewer than `minimumRows` takes rows from others: the one of lowest id first, each time
  /// the row of highest index from whoever then has the most rows (the lowest id among equals). Rows do not
  /// leave their natural group: a group or client that is too small there is an error.
  public init(
    labels: [Int32], groups: [Int32]? = nil, groupCount: Int = 0, kind: PartitionKind, clientCount: Int,
    seed: UInt64, minimumRows: Int = 2
  ) throws(ClientDataError) {
    precondition(minimumRows >= 1, "clients of \(minimumRows) rows cannot train")
    try kind.check()
    guard clientCount >= 1 else { throw ClientDataError(partition: .noClients(found: clientCount)) }
    guard clientCount <= labels.count / minimumRows else {
      let problem = PartitionProblem.tooManyClients(
        clients: clientCount, rows: labels.count, minimumRows: minimumRows)
      throw ClientDataError(partition: problem)
    }
    let dealer = Dealer(labels: labels, minimumRows: minimumRows, seed: seed)
    if case .natural(let within) = kind {
      guard let groups else { throw ClientDataError(partition: .noGroups) }
      let members = membersByGroup(groups, count: groupCount).filter { !$0.isEmpty }
      rows = try dealer.deal(groups: members, within: within, clientCount: clientCount)
    } else {
      rows = try dealer.deal(Array(0..<labels.count), kind: kind, clientCount: clientCount, group: nil)
    }
  }
}

private func membersByGroup(_ groups: [Int32], count: Int) -> [[Int]] {
  var members = [[Int]](repeating: [], count: count)
  for (row, group) in groups.enumerated() { members[Int(group)].append(row) }
  return members
}
