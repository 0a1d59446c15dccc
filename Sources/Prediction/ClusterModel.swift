/// What a round's collectives take on the links of a cluster.
public struct ClusterModel: Sendable, Equatable {
  /// Where the seconds come from.
  public enum Basis: Sendable, Equatable {
    /// The formulas over a link, whose line is a message's.
    case formulas(HockneyLine)
    /// Measurements, with another rate and another latency of a message, where given. What was measured above
    /// the latency grows as the links' rate falls, and with the algorithm's volume on more ranks.
    case measured(MeasuredCollectives, bytesPerSecond: Double?, latencySeconds: Double?)
  }

  public let basis: Basis
  public let spread: RankSpread

  public init(_ basis: Basis, spread: RankSpread) {
    self.basis = basis
    self.spread = spread
  }

  /// The first size at which MPI libraries send a broadcast as a scatter and an all-gather (MPICH's).
  public static let longBroadcast = 512.0 * 1024

  /// Seconds of a gather; `bytes` is the mean part of the ranks off the root's host.
  public func gatherSeconds(bytes: Double, hasEqualParts: Bool) -> Double {
    let algorithm = CollectiveAlgorithm.linearGather
    switch basis {
    case .formulas(let link): return algorithm.seconds(bytes: bytes, link: link, spread)
    case .measured(let collectives, let rate, let latency):
      let fit = hasEqualParts ? collectives.gather : collectives.unequalGather
      return transferred(fit, bytes, collectives, algorithm, rate, latency)
    }
  }

  /// Seconds of a broadcast of `bytes`.
  public func broadcastSeconds(bytes: Double) -> Double {
    let algorithm = broadcastAlgorithm(bytes: bytes)
    switch basis {
    case .formulas(let link): return algorithm.seconds(bytes: bytes, link: link, spread)
    case .measured(let collectives, let rate, let latency):
      return transferred(collectives.broadcast, bytes, collectives, algorithm, rate, latency)
    }
  }

  /// The algorithm assumed: the one that was measured where that can be told, else the common choice by size.
  public func broadcastAlgorithm(bytes: Double) -> CollectiveAlgorithm {
    if case .measured(let collectives, _, _) = basis, let found = collectives.broadcastAlgorithm {
      return found
    }
    return bytes < Self.longBroadcast ? .binomialBroadcast : .scatterAllgather
  }

  private func transferred(
    _ fit: RangedFit, _ bytes: Double, _ measured: MeasuredCollectives, _ algorithm: CollectiveAlgorithm,
    _ rate: Double?, _ latency: Double?
  ) -> Double {
    func ratio(_ new: Double, _ old: Double) -> Double { old > 0 ? new / old : 1 }
    let before = measured.spread
    let messages = ratio(
      Double(algorithm.messageCount(spread)), Double(algorithm.messageCount(before)))
    let volume = ratio(algorithm.volume(spread), algorithm.volume(before))
    let slowdown = rate.flatMap { rate in measured.linkBytesPerSecond.map { $0 / rate } } ?? 1
    let moving = max(0, fit.seconds(bytes: bytes) - fit.latencySeconds)
    let waiting =
      latency.map { $0 * Double(algorithm.messageCount(spread)) } ?? fit.latencySeconds * messages
    return waiting + moving * volume * slowdown
  }
}
