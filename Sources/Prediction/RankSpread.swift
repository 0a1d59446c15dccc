/// How ranks lie on hosts: the first so many on the first host, and so on.
public struct RankSpread: Sendable, Equatable {
  public let rankCount: Int
  public let ranksPerHost: Int

  public init(rankCount: Int, ranksPerHost: Int) {
    precondition(rankCount > 0 && ranksPerHost > 0, "\(rankCount) ranks, \(ranksPerHost) a host")
    self.rankCount = rankCount
    self.ranksPerHost = min(ranksPerHost, rankCount)
  }

  public var hostCount: Int { (rankCount + ranksPerHost - 1) / ranksPerHost }

  /// Ranks that reach the root over its host's link.
  public var remoteRankCount: Int { rankCount - ranksPerHost }
}
