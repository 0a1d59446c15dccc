public import Telemetry

/// What a run measured, as far as a prediction starts from it.
public struct RunProfile: Sendable, Equatable {
  public let method: String
  public let roundCount: Int
  /// Clients of a round; the most of any.
  public let clientCount: Int
  /// How the run's ranks lay on hosts.
  public let spread: RankSpread
  /// The median over rounds of the slowest rank's seconds; of `evaluate` the mean, since not every round evaluates; of
  /// `estimate` all ranks' together, which is one rank's, the root's, unless the servers are sharded.
  public let seconds: [Phase: Double]
  /// The median over rounds of one rank's part of the gather, and of the broadcast; 0 on one rank.
  public let gatherBytes: Double
  public let broadcastBytes: Double

  /// `origin` names the rounds' file in errors.
  public init(
    rounds: [RoundReport], hosts: [EnvironmentReport.Host], origin: String
  ) throws(PredictionError) {
    guard let last = rounds.last else {
      throw PredictionError(origin: origin, problem: "expected at least one round, found none")
    }
    let ranks = hosts.reduce(0) { $0 + $1.ranks }
    guard let first = hosts.first, ranks > 0, hosts.allSatisfy({ $0.ranks > 0 }) else {
      throw PredictionError(
        origin: origin, problem: "expected the environment to name the run's hosts and ranks, found none")
    }
    guard rounds.allSatisfy({ !$0.clients.isEmpty }) else {
      throw PredictionError(origin: origin, problem: "expected clients in every round, found a round of none")
    }
    method = last.method
    roundCount = rounds.count
    clientCount = rounds.map(\.clients.count).max()!
    spread = RankSpread(rankCount: ranks, ranksPerHost: first.ranks)
    var seconds: [Phase: Double] = [:]
    for phase in Phase.allCases {
      let values = rounds.compactMap { $0.seconds[phase] }.map { spread in
        phase == .estimate ? spread.mean * Double(ranks) : spread.maximum
      }.filter { $0.isFinite }
      let mean = values.reduce(0, +) / Double(max(1, values.count))
      seconds[phase] = phase == .evaluate ? mean : values.isEmpty ? 0 : values.median
    }
    self.seconds = seconds
    let others = Double(max(1, ranks - 1))
    gatherBytes = rounds.map { Double($0.bytes.gathered) / others }.median
    broadcastBytes = rounds.map { Double($0.bytes.broadcast) / others }.median
  }

  /// The most clients of one rank, spread as evenly as they go.
  public static func clientsPerRank(_ clients: Int, ranks: Int) -> Int { (clients + ranks - 1) / ranks }

  private var clientsPerRank: Int { Self.clientsPerRank(clientCount, ranks: spread.rankCount) }

  /// Seconds of a round's own work with `clients` of them on `ranks` ranks: training and packing in proportion to
  /// the most clients of one rank, the estimate as given, applying as measured. Evaluation is
  /// shared out by rows: in proportion to the most clients of a rank or to one over the ranks, whichever is more.
  public func computeSeconds(clients: Int, ranks: Int, estimateSeconds: Double) -> [Phase: Double] {
    let load = Double(Self.clientsPerRank(clients, ranks: ranks)) / Double(clientsPerRank)
    return [
      .train: seconds[.train]! * load, .pack: seconds[.pack]! * load,
      .estimate: estimateSeconds, .apply: seconds[.apply]!,
      .evaluate: seconds[.evaluate]! * max(load, Double(spread.rankCount) / Double(ranks)),
    ]
  }

  /// The same where every client is a machine of its own, as fast as one of the run's ranks; nothing is
  /// evaluated.
  public func computeSecondsOfLoneClients(estimateSeconds: Double) -> [Phase: Double] {
    let share = 1 / Double(clientsPerRank)
    return [
      .train: seconds[.train]! * share, .pack: seconds[.pack]! * share,
      .estimate: estimateSeconds, .apply: seconds[.apply]!,
    ]
  }
}
