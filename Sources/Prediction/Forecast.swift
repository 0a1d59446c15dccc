public import Telemetry

/// The bytes of one method's round.
public struct MethodVolume: Sendable, Equatable {
  public let method: String
  /// Of each client of the round, in order.
  public let up: [Int]
  public let down: [Int]
  /// What one broadcast carries: on a cluster it serves the clients of every adapter rank.
  public let broadcast: Int

  public init(method: String, up: [Int], down: [Int], broadcast: Int) {
    precondition(up.count == down.count && !up.isEmpty, "\(up.count) uploads, \(down.count) downloads")
    self.method = method
    self.up = up
    self.down = down
    self.broadcast = broadcast
  }

  var totalUp: Double { up.reduce(0) { $0 + Double($1) } }
  var totalDown: Double { down.reduce(0) { $0 + Double($1) } }
}

/// What a round of one method would cost on a network.
public struct Forecast: Sendable, Equatable {
  public let method: String
  /// Means over the clients.
  public let upBytesPerClient: Double
  public let downBytesPerClient: Double
  /// The gather, or all clients' uploads.
  public let gatherSeconds: Double
  /// The broadcast, or all clients' downloads.
  public let broadcastSeconds: Double
  /// The round's own work by phase; nil where the run did not measure it.
  public let computeSeconds: [Phase: Double]?

  public var transferSeconds: Double { gatherSeconds + broadcastSeconds }

  /// The whole round; nil where the run did not measure its work.
  public var roundSeconds: Double? {
    computeSeconds.map { compute in
      Phase.allCases.reduce(transferSeconds) { $0 + (compute[$1] ?? 0) }
    }
  }

  private init(_ volume: MethodVolume, gather: Double, broadcast: Double, compute: [Phase: Double]?) {
    method = volume.method
    upBytesPerClient = volume.totalUp / Double(volume.up.count)
    downBytesPerClient = volume.totalDown / Double(volume.down.count)
    gatherSeconds = gather
    broadcastSeconds = broadcast
    computeSeconds = compute
  }

  /// On a cluster: one gather at rank 0, to which every rank brings as many bytes as `parts` says, and one
  /// broadcast.
  public init(
    _ volume: MethodVolume, parts: [Int], on model: ClusterModel, compute: [Phase: Double]?
  ) {
    precondition(parts.count == model.spread.rankCount, "\(parts.count) parts for \(model.spread)")
    let remote = parts.dropFirst(model.spread.ranksPerHost)
    let mean = remote.isEmpty ? 0 : remote.reduce(0) { $0 + Double($1) } / Double(remote.count)
    self.init(
      volume, gather: model.gatherSeconds(bytes: mean, hasEqualParts: Set(parts).count == 1),
      broadcast: model.broadcastSeconds(bytes: Double(volume.broadcast)), compute: compute)
  }

  /// Over the internet: every client by its own connection.
  public init(_ volume: MethodVolume, on federation: InternetFederation, compute: [Phase: Double]?) {
    let cohort = volume.up.count
    self.init(
      volume,
      gather: federation.uploadSeconds(
        largestBytes: Double(volume.up.max()!), totalBytes: volume.totalUp, cohort: cohort),
      broadcast: federation.downloadSeconds(
        largestBytes: Double(volume.down.max()!), totalBytes: volume.totalDown, cohort: cohort),
      compute: compute)
  }

  /// The mean of a method's rounds that differ.
  public init(meanOf rounds: [Forecast]) {
    let count = Double(rounds.count)
    func mean(_ value: (Forecast) -> Double) -> Double { rounds.reduce(0) { $0 + value($1) } / count }
    method = rounds[0].method
    upBytesPerClient = mean(\.upBytesPerClient)
    downBytesPerClient = mean(\.downBytesPerClient)
    gatherSeconds = mean(\.gatherSeconds)
    broadcastSeconds = mean(\.broadcastSeconds)
    computeSeconds = rounds[0].computeSeconds
  }
}

extension Forecast: JSONRepresentable {
  public var json: JSONValue {
    .object(omittingNil: [
      ("method", .string(method)), ("upBytesPerClient", .number(upBytesPerClient)),
      ("downBytesPerClient", .number(downBytesPerClient)), ("gatherSeconds", .number(gatherSeconds)),
      ("broadcastSeconds", .number(broadcastSeconds)), ("transferSeconds", .number(transferSeconds)),
      ("computeSeconds", computeSeconds.map { Self.json($0) }),
      ("roundSeconds", roundSeconds.map { .number($0) }),
    ])
  }

  private static func json(_ seconds: [Phase: Double]) -> JSONValue {
    .object(Phase.allCases.compactMap { phase in seconds[phase].map { (phase.rawValue, .number($0)) } })
  }
}
