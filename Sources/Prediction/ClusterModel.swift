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

  /// An algorithm, and how it is known.
  public struct Choice: Sendable, Equatable {
    public enum Source: Sendable {
      /// The library takes it by itself.
      case library
      /// It alone is nearest to the measurements.
      case measured
      /// Common, or one of several that are as near to the measurements.
      case assumed
    }

    public let algorithm: CollectiveAlgorithm
    public let source: Source

    public init(_ algorithm: CollectiveAlgorithm, _ source: Source) {
      self.algorithm = algorithm
      self.source = source
    }
  }

  public let basis: Basis
  public let spread: RankSpread
  /// Of the run; nil where its choices are not known.
  public let library: MPILibrary?

  public init(_ basis: Basis, spread: RankSpread, library: MPILibrary? = nil) {
    self.basis = basis
    self.spread = spread
    self.library = library
  }

  /// The first size at which MPI libraries send a broadcast as a scatter and an all-gather (MPICH's).
  public static let longBroadcast = 512.0 * 1024

  /// Seconds of a gather; `bytes` is the mean part of the ranks off the root's host.
  public func gatherSeconds(bytes: Double, hasEqualParts: Bool) -> Double {
    let algorithm = gatherChoice(hasEqualParts: hasEqualParts).algorithm
    switch basis {
    case .formulas(let link): return algorithm.seconds(bytes: bytes, link: link, spread)
    case .measured(let collectives, let rate, let latency):
      let fit = hasEqualParts ? collectives.gather : collectives.unequalGather
      let before = gatherChoice(hasEqualParts: hasEqualParts, on: collectives.spread).algorithm
      return transferred(fit, bytes, collectives, (before, algorithm), rate, latency)
    }
  }

  /// The library's gather where that is known, else the linear one.
  public func gatherChoice(hasEqualParts: Bool) -> Choice {
    gatherChoice(hasEqualParts: hasEqualParts, on: spread)
  }

  private func gatherChoice(hasEqualParts: Bool, on spread: RankSpread) -> Choice {
    let known = library?.gather(ranks: spread.rankCount, hasEqualParts: hasEqualParts)
    return known.map { Choice($0, .library) } ?? Choice(.linearGather, .assumed)
  }

  /// Seconds of a broadcast of `bytes`.
  public func broadcastSeconds(bytes: Double) -> Double {
    let algorithm = broadcastChoice(bytes: bytes).algorithm
    switch basis {
    case .formulas(let link): return algorithm.seconds(bytes: bytes, link: link, spread)
    case .measured(let collectives, let rate, let latency):
      let before = broadcastChoice(bytes: bytes, on: collectives.spread).algorithm
      return transferred(collectives.broadcast, bytes, collectives, (before, algorithm), rate, latency)
    }
  }

  /// The library's broadcast where it is known and the measurements do not contradict, else the one that is nearest
  /// to them, else the common choice by size.
  public func broadcastChoice(bytes: Double) -> Choice { broadcastChoice(bytes: bytes, on: spread) }

  /// Every choice for a broadcast, with the least size from which it is.
  public var broadcastChoices: [(fromBytes: Int, choice: Choice)] {
    (0...30).reduce(into: []) { choices, exponent in
      let choice = broadcastChoice(bytes: Double(1 << exponent))
      if choices.last?.choice != choice { choices.append((1 << exponent, choice)) }
    }
  }

  private func broadcastChoice(bytes: Double, on spread: RankSpread) -> Choice {
    let known = library?.broadcast(bytes: bytes, ranks: spread.rankCount).map { Choice($0, .library) }
    let common = bytes < Self.longBroadcast ? CollectiveAlgorithm.binomialBroadcast : .scatterAllgather
    guard case .measured(let collectives, _, _) = basis else { return known ?? Choice(common, .assumed) }
    let found = Self.choice(among: collectives.broadcastAlgorithms, common: common)
    return contradicts(collectives) ? found : known ?? found
  }

  private static func choice(among nearest: [CollectiveAlgorithm], common: CollectiveAlgorithm) -> Choice {
    if nearest.count == 1 { return Choice(nearest[0], .measured) }
    return Choice(nearest.contains(common) ? common : nearest.first ?? common, .assumed)
  }

  /// Whether a large broadcast crossed the busiest link far more or less often than the library's algorithm would:
  /// it can be told to take another.
  private func contradicts(_ collectives: MeasuredCollectives) -> Bool {
    let largest = Double(collectives.broadcast.parts.last!.sizes.upperBound),
      ranks = collectives.spread.rankCount
    guard let known = library?.broadcast(bytes: largest, ranks: ranks),
      let found = collectives.broadcastVolume
    else { return false }
    let ratio = found / known.volume(collectives.spread)
    return max(ratio, 1 / ratio) > Self.contradiction
  }

  /// Neighbouring algorithms' volumes differ by less, measured ones of the same algorithm by far less.
  private static let contradiction = 1.5

  private func transferred(
    _ fit: RangedFit, _ bytes: Double, _ measured: MeasuredCollectives,
    _ algorithms: (before: CollectiveAlgorithm, now: CollectiveAlgorithm), _ rate: Double?, _ latency: Double?
  ) -> Double {
    func ratio(_ new: Double, _ old: Double) -> Double { old > 0 ? new / old : 1 }
    let (before, now) = algorithms
    let messages = Double(now.messageCount(spread))
    let volume = ratio(now.volume(spread), before.volume(measured.spread))
    let slowdown = rate.flatMap { rate in measured.linkBytesPerSecond.map { $0 / rate } } ?? 1
    let moving = max(0, fit.seconds(bytes: bytes) - fit.latencySeconds)
    let waiting =
      latency.map { $0 * messages }
      ?? fit.latencySeconds * ratio(messages, Double(before.messageCount(measured.spread)))
    return waiting + moving * volume * slowdown
  }
}
