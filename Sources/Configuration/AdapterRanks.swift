/// The adapter rank of every client: one for all, or one each.
public enum AdapterRanks: Sendable, Equatable {
  case same(Int)
  /// One a client, in order of client id; never empty.
  case perClient([Int])

  public subscript(client client: Int) -> Int {
    switch self {
    case .same(let rank): rank
    case .perClient(let ranks): ranks[client]
    }
  }

  /// The adapter rank of the global adapter.
  public var largest: Int { distinct[distinct.count - 1] }

  /// Every adapter rank that occurs, ascending.
  public var distinct: [Int] {
    switch self {
    case .same(let rank): [rank]
    case .perClient(let ranks): Set(ranks).sorted()
    }
  }
}

extension AdapterRanks {
  /// `rank: 8`, a list with one adapter rank a client, or a table of clients: `{ 0-3: 4, 4: 16 }`; nil where
  /// nothing is written.
  init?(_ section: Section<AdapterKey>, clientCount: Int) throws(ConfigurationError) {
    switch section.node(.rank)?.content {
    case nil: return nil
    case .scalar: self = .same(try section.value(.rank, default: 1, .atLeast(1)))
    case .list: self = .perClient(try Self.listed(section, clientCount))
    case .section(let entries): self = .perClient(try Self.tabulated(entries, section, clientCount))
    }
  }

  private static func listed(
    _ section: Section<AdapterKey>, _ clientCount: Int
  ) throws(ConfigurationError) -> [Int] {
    let ranks: [Int] = try section.list(.rank, .atLeast(1)) ?? []
    guard ranks.count == clientCount else {
      throw section.error(
        .rank, "expected one adapter rank for each of \(clientCount) clients, found \(ranks.count)")
    }
    return ranks
  }

  private static func tabulated(
    _ entries: [SettingNode.Entry], _ section: Section<AdapterKey>, _ clientCount: Int
  ) throws(ConfigurationError) -> [Int] {
    var ranks = [Int?](repeating: nil, count: clientCount)
    for entry in entries {
      let rank: Int = try section.scalar(.rank, entry.value, .atLeast(1))
      for client in try clients(entry, section, clientCount) {
        guard ranks[client] == nil else {
          throw section.error(.rank, "expected each client once, found client \(client) twice")
        }
        ranks[client] = rank
      }
    }
    if let missing = ranks.firstIndex(of: nil) {
      throw section.error(
        .rank, "expected an adapter rank for every client, found none for client \(missing)")
    }
    return ranks.compactMap { $0 }
  }

  /// The clients that a table's key names: `3` or `0-3`, both ends included.
  private static func clients(
    _ entry: SettingNode.Entry, _ section: Section<AdapterKey>, _ clientCount: Int
  ) throws(ConfigurationError) -> ClosedRange<Int> {
    let ends = entry.key.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
    guard (1...2).contains(ends.count), let first = ends[0], let last = ends[ends.count - 1], first <= last,
      first >= 0, last < clientCount
    else {
      throw section.error(
        .rank,
        "expected clients from 0 to \(clientCount - 1) such as 2 or 0-\(clientCount - 1), "
          + "found \(shown(entry.key))")
    }
    return first...last
  }

  /// One number, or the table with neighbouring clients of one adapter rank together.
  var text: YAMLText {
    switch self {
    case .same(let rank): .integer(rank)
    case .perClient(let ranks):
      .section(
        runs(of: ranks).map { run in
          let key = run.count == 1 ? "\(run.lowerBound)" : "\(run.lowerBound)-\(run.upperBound - 1)"
          return (key: key, value: .integer(ranks[run.lowerBound]))
        })
    }
  }
}

/// The longest ranges of neighbours with one value.
private func runs(of values: [Int]) -> [Range<Int>] {
  var runs: [Range<Int>] = []
  for index in values.indices {
    if let last = runs.last, values[last.lowerBound] == values[index] {
      runs[runs.count - 1] = last.lowerBound..<index + 1
    } else {
      runs.append(index..<index + 1)
    }
  }
  return runs
}
