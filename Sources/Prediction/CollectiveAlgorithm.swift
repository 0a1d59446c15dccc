/// How a collective operation sends its messages, as far as its time depends on it: what travels within a host
/// costs nothing beside what crosses a host's link.
///
/// The formulas are those of R. Thakur, R. Rabenseifner, W. Gropp, "Optimization of collective communication
/// operations in MPICH" (2005), with hosts in place of ranks where ranks share a link.
public enum CollectiveAlgorithm: String, Sendable, CaseIterable {
  /// Every rank sends its part to the root: `(P−1) α + β Σ m`.
  case linearGather = "linear gather"
  /// Hosts hand on the parts of others. The root's link, by which all come in, stays busy: `⌈log₂P⌉ α + β Σ m`
  case binomialGather = "binomial gather"
  /// The root sends to every rank: `(P−1) (α + β m)`.
  case linearBroadcast = "linear broadcast"
  /// `⌈log₂P⌉ (α + β m)`
  case binomialBroadcast = "binomial broadcast"
  /// A scatter by halves, then an all-gather around a ring: `(⌈log₂P⌉ + P−1) α + 2 (P−1)/P β m`.
  case scatterAllgather = "scatter–allgather broadcast"
  /// A scatter by halves, then an all-gather in which partners exchange all they have, every rank by itself:
  /// `2 ⌈log₂P⌉ α + (1 + r) (P−1)/P β m` for r ranks a link.
  case scatterDoubling = "scatter–allgather broadcast by doubling"
  /// The whole message from each host to the next: `(P−1) (α + β m)`.
  case wholeChainBroadcast = "unsegmented chain broadcast"
  /// Piece by piece along a chain of hosts: `(P−1) α + β m`, for pieces that are small against the message.
  case chainBroadcast = "pipelined chain broadcast"

  public static let broadcasts: [CollectiveAlgorithm] = [
    .linearBroadcast, .binomialBroadcast, .scatterAllgather, .scatterDoubling, .wholeChainBroadcast,
    .chainBroadcast,
  ]

  /// The sum of the formula's α.
  public func messageCount(_ spread: RankSpread) -> Int {
    let hosts = spread.hostCount
    return switch self {
    case .linearGather, .linearBroadcast: spread.remoteRankCount
    case .binomialGather, .binomialBroadcast: Self.doublings(hosts)
    case .scatterAllgather: Self.doublings(hosts) + hosts - 1
    case .scatterDoubling: 2 * Self.doublings(hosts)
    case .wholeChainBroadcast, .chainBroadcast: hosts - 1
    }
  }

  /// How many times the message (for a gather a rank's part) crosses the busiest link: the formula's factor of β m.
  public func volume(_ spread: RankSpread) -> Double {
    let hosts = spread.hostCount
    return switch self {
    case .linearGather, .binomialGather, .linearBroadcast: Double(spread.remoteRankCount)
    case .binomialBroadcast: Double(Self.doublings(hosts))
    case .scatterAllgather: 2 * Double(hosts - 1) / Double(hosts)
    case .scatterDoubling:
      Double(1 + spread.ranksPerHost) * Double(hosts - 1) / Double(hosts)
    case .wholeChainBroadcast: Double(hosts - 1)
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
