/// Which rank hosts which client. Results never depend on it: only time does.
public struct Placement: Sendable, Equatable {
  public enum Kind: String, Sendable, CaseIterable {
    /// Neighbouring clients on one rank: with 8 clients on 3 ranks 0–2, 3–5, 6–7.
    case block
    /// Client by client around the ranks: with 8 clients on 3 ranks 0 3 6, 1 4 7, 2 5.
    case cyclic
  }

  public let kind: Kind
  public let clientCount: Int
  public let rankCount: Int

  public init(kind: Kind, clientCount: Int, rankCount: Int) {
    precondition(clientCount > 0 && rankCount > 0, "\(clientCount) clients on \(rankCount) ranks")
    self.kind = kind
    self.clientCount = clientCount
    self.rankCount = rankCount
  }

  /// The rank that hosts `client`. Where the numbers do not divide, lower ranks host one client more.
  public func rank(ofClient client: Int) -> Int {
    switch kind {
    case .cyclic: return client % rankCount
    case .block:
      let (share, larger) = clientCount.quotientAndRemainder(dividingBy: rankCount)
      let inLarger = larger * (share + 1)
      return client < inLarger ? client / (share + 1) : larger + (client - inLarger) / share
    }
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
