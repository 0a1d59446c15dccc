/// Which rank hosts which client. Results never depend on it: only time does.
public struct Placement: Sendable, Equatable {
  public enum Kind: String, Sendable, CaseIterable {
    /// Neighbouring clients on one rank: with 8 clients on 3 ranks 0–2, 3–5, 6–7.
    case block
    /// Client by client around the ranks: with 8 clients on 3 ranks 0 3 6, 1 4 7, 2 5.
    case cyclic
    /// The clients of a cohort by what they cost, so that all ranks have about as much to do. Clients that
    /// were not dealt that way are hosted as `block` has them.
    case balanced
  }

  public let kind: Kind
  public let clientCount: Int
  public let rankCount: Int
  /// Of `balanced`: the ranks of the clients that were dealt.
  private var dealt: [Int: Int] = [:]

  public init(kind: Kind, clientCount: Int, rankCount: Int) {
    precondition(clientCount > 0 && rankCount > 0, "\(clientCount) clients on \(rankCount) ranks")
    self.kind = kind
    self.clientCount = clientCount
    self.rankCount = rankCount
  }

  /// Deals `cohort`, longest first: from the dearest client to the cheapest, each to the rank that has least
  /// to do by then. Lower ids and lower ranks go first among equals. `costs` are in the cohort's order.
  ///
  /// The busiest rank has at most 4/3 of what the best possible deal gives it. Source: Graham, "Bounds on
  /// Multiprocessing Timing Anomalies", 1969.
  public init(balancing cohort: [Int], costs: [Double], clientCount: Int, rankCount: Int) {
    precondition(cohort.count == costs.count, "\(costs.count) costs of \(cohort.count) clients")
    self.init(kind: .balanced, clientCount: clientCount, rankCount: rankCount)
    var loads = [Double](repeating: 0, count: rankCount)
    for index in cohort.indices.sorted(by: { (-costs[$0], $0) < (-costs[$1], $1) }) {
      let rank = loads.indices.min { (loads[$0], $0) < (loads[$1], $1) }!
      loads[rank] += costs[index]
      dealt[cohort[index]] = rank
    }
  }

  /// The rank that hosts `client`. Where the numbers do not divide, lower ranks host one client more.
  public func rank(ofClient client: Int) -> Int {
    switch kind {
    case .cyclic: client % rankCount
    case .block: blockRank(ofClient: client)
    case .balanced: dealt[client] ?? blockRank(ofClient: client)
    }
  }

  private func blockRank(ofClient client: Int) -> Int {
    let (share, larger) = clientCount.quotientAndRemainder(dividingBy: rankCount)
    let inLarger = larger * (share + 1)
    return client < inLarger ? client / (share + 1) : larger + (client - inLarger) / share
  }

  /// Those of `cohort` that `rank` hosts, in the cohort's order.
  public func clients(of cohort: [Int], onRank rank: Int) -> [Int] {
    cohort.filter { self.rank(ofClient: $0) == rank }
  }

  /// How many of `cohort` each rank hosts.
  public func counts(of cohort: [Int]) -> [Int] {
    cohort.reduce(into: [Int](repeating: 0, count: rankCount)) { $0[rank(ofClient: $1)] += 1 }
  }
}
