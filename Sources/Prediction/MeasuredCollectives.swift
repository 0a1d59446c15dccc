public import Telemetry

/// A line of `florana benchmark collectives --json`.
public struct CollectiveMeasurement: Sendable, Equatable, Decodable {
  public let operation: String
  /// Of one rank's part.
  public let bytes: Int
  public let ranks: Int
  /// Of the slowest rank.
  public let medianSeconds: Double

  public init(operation: String, bytes: Int, ranks: Int, medianSeconds: Double) {
    self.operation = operation
    self.bytes = bytes
    self.ranks = ranks
    self.medianSeconds = medianSeconds
  }
}

/// The collective operations of a round as they were measured on one network, fitted by ranges.
public struct MeasuredCollectives: Sendable, Equatable {
  public let spread: RankSpread
  /// `MPI_Gather` of equal parts; the other gather where this one was not measured.
  public let gather: RangedFit
  /// `MPI_Gatherv`; the other gather where this one was not measured.
  public let unequalGather: RangedFit
  public let broadcast: RangedFit

  /// `origin` names the measurements in errors.
  ///
  /// - Throws: unless all lines have one number of ranks, and two sizes at least of a gather and the broadcast.
  public init(
    _ lines: [CollectiveMeasurement], ranksPerHost: Int, origin: String
  ) throws(PredictionError) {
    let ranks = Set(lines.map(\.ranks)).sorted()
    guard ranks.count == 1, ranks[0] > 1 else {
      let found = ranks.map(String.init).joined(separator: ", ")
      throw PredictionError(
        origin: origin,
        problem: "expected measurements on one number of ranks, at least 2, "
          + "found \(ranks.isEmpty ? "no line" : found)")
    }
    spread = RankSpread(rankCount: ranks[0], ranksPerHost: ranksPerHost)
    let plain = Self.fit("gather", lines), unequal = Self.fit("gatherv", lines)
    guard let gather = plain ?? unequal, let broadcast = Self.fit("broadcast", lines) else {
      let missing = (plain ?? unequal) == nil ? "gather" : "broadcast"
      throw PredictionError(
        origin: origin, problem: "expected times above zero of at least two sizes of \(missing), found fewer")
    }
    self.gather = gather
    unequalGather = unequal ?? gather
    self.broadcast = broadcast
  }

  private static func fit(_ operation: String, _ lines: [CollectiveMeasurement]) -> RangedFit? {
    RangedFit(
      lines.filter { $0.operation == operation }.map {
        MeasuredPoint(bytes: $0.bytes, seconds: $0.medianSeconds)
      })
  }

  /// Bytes a second over one link, from the largest gathers: all remote parts come in by the root's. Of both
  /// gathers the faster, since what disturbs a measurement only slows it. Nil where all ranks are on one host.
  public var linkBytesPerSecond: Double? {
    let secondsPerByte = min(gather.largestSecondsPerByte, unequalGather.largestSecondsPerByte)
    guard spread.remoteRankCount > 0, secondsPerByte > 0 else { return nil }
    return CollectiveAlgorithm.linearGather.volume(spread) / secondsPerByte
  }

  /// The algorithms whose formulas are nearest to the largest broadcasts: several where they cross the busiest link
  /// equally often, as with one rank a host; none where fewer than three hosts make all formulas alike.
  public var broadcastAlgorithms: [CollectiveAlgorithm] {
    guard let factor = broadcastVolume, spread.hostCount > 2, factor > 0 else { return [] }
    let distances = CollectiveAlgorithm.broadcasts.map { algorithm in
      let ratio = factor / algorithm.volume(spread)
      return (algorithm, max(ratio, 1 / ratio))
    }
    let least = distances.map(\.1).min()
    return distances.filter { $0.1 == least }.map(\.0)
  }

  /// How many times a large broadcast's message crossed the busiest link.
  public var broadcastVolume: Double? {
    linkBytesPerSecond.map { broadcast.largestSecondsPerByte * $0 }
  }
}

extension MeasuredCollectives: JSONRepresentable {
  public var json: JSONValue {
    .object(omittingNil: [
      ("ranks", .integer(spread.rankCount)), ("hosts", .integer(spread.hostCount)),
      ("linkBytesPerSecond", linkBytesPerSecond.map { .number($0) }),
      ("broadcastVolume", broadcastVolume.map { .number($0) }),
      ("broadcastAlgorithms", .array(broadcastAlgorithms.map { .string($0.rawValue) })),
      ("gather", Self.json(gather)), ("gatherv", Self.json(unequalGather)),
      ("broadcast", Self.json(broadcast)),
    ])
  }

  private static func json(_ fit: RangedFit) -> JSONValue {
    .array(
      fit.parts.map { part in
        .object([
          ("fromBytes", .integer(part.sizes.lowerBound)), ("toBytes", .integer(part.sizes.upperBound)),
          ("points", .integer(part.pointCount)), ("alphaSeconds", .number(part.line.alpha)),
          ("betaSecondsPerByte", .number(part.line.beta)),
          ("rootMeanSquareError", .number(part.error.rootMeanSquare)),
          ("largestError", .number(part.error.largest)),
        ])
      })
  }
}
