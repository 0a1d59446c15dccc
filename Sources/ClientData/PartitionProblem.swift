/// The ways in which rows cannot be dealt to clients as asked.
public enum PartitionProblem: Sendable, Equatable {
  case noClients(found: Int)
  case tooManyClients(clients: Int, rows: Int, minimumRows: Int)
  case groupTooSmall(group: Int, clients: Int, rows: Int, minimumRows: Int)
  case clientTooSmall(client: Int, rows: Int, minimumRows: Int)
  case tooManyShards(clients: Int, shardsPerClient: Int, rows: Int)
  case invalidConcentration(found: Double)
  case invalidShardCount(found: Int)
  case noGroups
  case noClasses
  case nestedNatural
  case invalidHeldOut(found: Double)
}

extension PartitionProblem {
  /// The key of the configuration that asks for what cannot be.
  func setting(withinNatural: Bool) -> String {
    let partition = withinNatural ? "data.partition.within" : "data.partition"
    return switch self {
    case .noClients, .tooManyClients, .groupTooSmall, .clientTooSmall: "clients.count"
    case .tooManyShards, .invalidShardCount: "\(partition).shards"
    case .invalidConcentration: "\(partition).alpha"
    case .noGroups, .noClasses, .nestedNatural: "\(partition).kind"
    case .invalidHeldOut: "data.held-out"
    }
  }
}

extension PartitionProblem: CustomStringConvertible {
  public var description: String {
    switch self {
    case .noClients(let found): "expected at least 1 client, found \(found)"
    case .tooManyClients(let clients, let rows, let minimumRows):
      "expected at least \(minimumRows) rows for each of \(clients) clients, found \(rows) rows in all"
    case .groupTooSmall(let group, let clients, let rows, let minimumRows):
      "group \(group): expected at least \(minimumRows) rows for each of its \(clients) clients, found \(rows) in all"
    case .clientTooSmall(let client, let rows, let minimumRows):
      "client \(client): expected at least \(minimumRows) rows, found \(rows)"
    case .tooManyShards(let clients, let shardsPerClient, let rows):
      "expected a row for each of \(shardsPerClient) shards of \(clients) clients, found \(rows) rows"
    case .invalidConcentration(let found):
      "expected a finite concentration of at least \(PartitionKind.leastConcentration), found \(found)"
    case .invalidShardCount(let found): "expected at least 1 shard per client, found \(found)"
    case .noGroups: "expected a group for every row (kind natural), found data without groups"
    case .noClasses:
      "expected kind iid because rows of a generation task without groups have no classes, found another"
    case .nestedNatural: "expected another kind within natural, found natural"
    case .invalidHeldOut(let found): "expected a held-out fraction of at least 0 and below 1, found \(found)"
    }
  }
}
