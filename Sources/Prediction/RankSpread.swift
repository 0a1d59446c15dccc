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

/// How a collective operation sends its messages, as far as its time depends on it: what travels within a host
/// costs nothing beside what crosses a host's link.
///
/// The formulas are those of R. Thakur, R. Rabenseifner, W. Gropp, "Optimization of collective communication
/// operations in MPICH" (2005), with hosts in place of ranks where ranks share a link.
public enum CollectiveAlgorithm: String, Sendable, CaseIterable {
  /// Every rank sends its part to the root: `(P−1) α + β Σ m`.
  case linearGather = "linear gather"
  /// The root sends to every rank: `(P−1) (α + β m)`.
  case linearBroadcast = "linear broadcast"
  /// `⌈log₂P⌉ (α + β m)`
  case binomialBroadcast = "binomial broadcast"
  /// A scatter by halves, then an all-gather around a ring: `(⌈log₂P⌉ + P−1) α + 2 (P−1)/P β m`.
  case scatterAllgather = "scatter–allgather broadcast"
  /// Piece by piece along a chain of hosts: `(P−1) α + β m`, for pieces that are small against the message.
  case chainBroadcast = "pipelined chain broadcast"

  public static let broadcasts: [CollectiveAlgorithm] = [
    .linearBroadcast, .binomialBroadcast, .scatterAllgather, .chainBroadcast,
  ]

  /// The sum of the formula's α.
  public func messageCount(_ spread: RankSpread) -> Int {
    let hosts = spread.hostCount
    return switch self {
    case .linearGather, .linearBroadcast: spread.remoteRankCount
    case .binomialBroadcast: Self.doublings(hosts)
    case .scatterAllgather: Self.doublings(hosts) + hosts - 1
    case .chainBroadcast: hosts - 1
    }
  }

  /// How many times the message (for a gather a rank's part) crosses the busiest link: the formula's factor of β m.
  public func volume(_ spread: RankSpread) -> Double {
    let hosts = spread.hostCount
    return switch self {
    case .linearGather, .linearBroadcast: Double(spread.remoteRankCount)
    case .binomialBroadcast: Double(Self.doublings(hosts))
    case .scatterAllgather: 2 * Double(hosts - 1) / Double(hosts)
    case .chainBroadcast: hosts > 1 ? 1 : 0
    }
  }

  /// Seconds over a link with this α and β.
  public func seconds(bytes: Double, link: HockneyLine, _ spread: RankSpread) -> Double {
    Double(messageCount(spread)) * link.alpha + volume(spread) * link.beta * bytes
  }

  /// `⌈log₂ count⌉`
  private static func doublings(_ count: Int) -> Int {
    Int.bitWidth - (count - 1).leadingZeroBitCount
  }
}
