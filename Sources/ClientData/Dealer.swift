internal import Randomness

/// Deals rows to clients in each of the ways of `PartitionKind`.
struct Dealer {
  let labels: [Int32]
  let minimumRows: Int
  let seed: UInt64

  /// Splits `rows` over clients 0, 1, …; the result's rows are ascending. `group` keys the random numbers.
  func deal(
    _ rows: [Int], kind: PartitionKind, clientCount: Int, group: Int?
  ) throws(ClientDataError) -> [[Int]] {
    let count = group.map { $0 + 1 } ?? 0
    var stream = RandomStream(RandomKey(seed: seed, purpose: .partition, longCount: count))
    var dealt: [[Int]]
    switch kind {
    case .iid: dealt = shuffledPieces(rows, clientCount, &stream)
    case .dirichlet(let alpha): dealt = dirichlet(rows, alpha, clientCount, &stream)
    case .byLabel(let shards): dealt = try byLabel(rows, shards, clientCount, group: group, &stream)
    case .natural: preconditionFailure("natural groups are split by another kind")
    }
    for client in dealt.indices { dealt[client].sort() }
    fillUp(&dealt)
    return dealt
  }

  private func shuffledPieces(_ rows: [Int], _ count: Int, _ stream: inout RandomStream) -> [[Int]] {
    var rows = rows
    stream.shuffle(&rows)
    return pieces(of: rows, count: count)
  }

  private func dirichlet(
    _ rows: [Int], _ alpha: Double, _ clientCount: Int, _ stream: inout RandomStream
  ) -> [[Int]] {
    var dealt = [[Int]](repeating: [], count: clientCount)
    for label in Set(rows.map { labels[$0] }).sorted() {
      var members = rows.filter { labels[$0] == label }
      stream.shuffle(&members)
      let shares = stream.dirichlet(concentration: alpha, count: clientCount)
      var rest = members[...]
      for (client, count) in largestRemainder(shares, total: members.count).enumerated() {
        dealt[client] += rest.prefix(count)
        rest = rest.dropFirst(count)
      }
    }
    return dealt
  }

  private func byLabel(
    _ rows: [Int], _ shardsPerClient: Int, _ clientCount: Int, group: Int?, _ stream: inout RandomStream
  ) throws(ClientDataError) -> [[Int]] {
    guard shardsPerClient <= rows.count / clientCount else {
      let problem = PartitionProblem.tooManyShards(
        clients: clientCount, shardsPerClient: shardsPerClient, rows: rows.count)
      throw ClientDataError(partition: problem, withinNatural: group != nil)
    }
    let shardCount = shardsPerClient * clientCount
    var order = rows
    stream.shuffle(&order)
    let sorted = order.enumerated()
      .sorted { (labels[$0.element], $0.offset) < (labels[$1.element], $1.offset) }
      .map(\.element)
    var shards = pieces(of: sorted, count: shardCount)
    stream.shuffle(&shards)
    return (0..<clientCount).map { client in
      Array(shards[client * shardsPerClient..<(client + 1) * shardsPerClient].joined())
    }
  }

  /// Moves rows to clients that have fewer than the minimum, as `Partition.init` describes.
  func fillUp(_ dealt: inout [[Int]]) {
    var donors = Donors(rowCounts: dealt.map(\.count))
    for poor in dealt.indices where dealt[poor].count < minimumRows {
      // Before everyone has the minimum, whoever has the most rows has more than that.
      while dealt[poor].count < minimumRows { dealt[poor].append(dealt[donors.next()].removeLast()) }
      dealt[poor].sort()
    }
  }
}

/// Who has the most rows, the lowest id among equals, while one row after another is taken away.
private struct Donors {
  private var byRowCount: [Int: [Int]]
  /// The most rows that anyone has, and those who have them.
  private var rowCount: Int
  private var clients: ArraySlice<Int>
  /// Those who had as many and gave one away.
  private var given: [Int] = []

  init(rowCounts: [Int]) {
    byRowCount = Dictionary(grouping: rowCounts.indices) { rowCounts[$0] }
    rowCount = rowCounts.max() ?? 0
    clients = byRowCount[rowCount, default: []][...]
  }

  /// The client to take the next row from.
  mutating func next() -> Int {
    if clients.isEmpty {
      rowCount -= 1
      clients = (given + byRowCount[rowCount, default: []]).sorted()[...]
      given = []
    }
    let client = clients.removeFirst()
    given.append(client)
    return client
  }
}

extension Dealer {
  /// Deals whole groups, or splits each over its share of the clients.
  func deal(
    groups: [[Int]], within kind: PartitionKind, clientCount: Int
  ) throws(ClientDataError) -> [[Int]] {
    let dealt =
      clientCount <= groups.count
      ? merge(groups, clientCount) : try split(groups, kind: kind, clientCount: clientCount)
    if let client = dealt.firstIndex(where: { $0.count < minimumRows }) {
      let problem = PartitionProblem.clientTooSmall(
        client: client, rows: dealt[client].count, minimumRows: minimumRows)
      throw ClientDataError(partition: problem)
    }
    return dealt
  }

  private func merge(_ groups: [[Int]], _ clientCount: Int) -> [[Int]] {
    (0..<clientCount).map { client in
      stride(from: client, to: groups.count, by: clientCount).flatMap { groups[$0] }.sorted()
    }
  }

  private func split(
    _ groups: [[Int]], kind: PartitionKind, clientCount: Int
  ) throws(ClientDataError) -> [[Int]] {
    var dealt: [[Int]] = []
    for (group, clients) in pieces(of: Array(0..<clientCount), count: groups.count).enumerated() {
      let rows = groups[group]
      guard rows.count >= clients.count * minimumRows else {
        let problem = PartitionProblem.groupTooSmall(
          group: group, clients: clients.count, rows: rows.count, minimumRows: minimumRows)
        throw ClientDataError(partition: problem)
      }
      dealt += try deal(rows, kind: kind, clientCount: clients.count, group: group)
    }
    return dealt
  }
}

/// `elements` cut into `count` runs whose lengths differ by at most one, the longer ones first.
func pieces<Element>(of elements: [Element], count: Int) -> [[Element]] {
  let (length, longer) = elements.count.quotientAndRemainder(dividingBy: count)
  return (0..<count).map { index in
    let begin = index * length + min(index, longer)
    return Array(elements[begin..<begin + length + (index < longer ? 1 : 0)])
  }
}

/// Whole numbers in proportion to `shares` (which sum to 1) that sum to `total`: rounded down, then one more for
/// the largest remainders, the lower index among equals.
func largestRemainder(_ shares: [Double], total: Int) -> [Int] {
  let quotas = shares.map { $0 * Double(total) }
  var counts = quotas.map { Int($0) }
  let order = quotas.indices.sorted { left, right in
    let (first, second) = (
      quotas[left] - quotas[left].rounded(.down), quotas[right] - quotas[right].rounded(.down)
    )
    return (-first, left) < (-second, right)
  }
  let missing = total - counts.reduce(0, +)
  for index in order.prefix(missing) { counts[index] += 1 }
  return counts
}
