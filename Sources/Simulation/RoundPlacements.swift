internal import ClientData
internal import Configuration

/// Which rank hosts which client in each round: a function of the configuration and the data alone, the same on
/// every rank.
///
/// With `balanced` a cohort is dealt anew in each round by what its clients cost. Clients that keep a state must
/// find it again: where there are such, all clients are dealt once, by their mean costs, and stay.
struct RoundPlacements: Sendable {
  /// What holds in every round, unless cohorts are dealt anew.
  let standing: Placement
  /// Of cohorts that are dealt anew.
  private let costs: ClientCosts?

  init(_ experiment: Experiment, rankCount: Int) {
    let clients = experiment.configuration.clients
    let kind = Placement.Kind(clients.placement)
    let costs = kind == .balanced ? ClientCosts(experiment) : nil
    guard let costs, experiment.clientsKeepState else {
      standing = Placement(kind: kind, clientCount: clients.count, rankCount: rankCount)
      self.costs = costs
      return
    }
    let all = Array(0..<clients.count)
    let share = 1 / Double(experiment.configuration.evaluate.every)
    standing = Placement(
      balancing: all, costs: all.map { costs.cost(of: $0, evaluatedShare: share) },
      clientCount: clients.count, rankCount: rankCount)
    self.costs = nil
  }

  /// Where the clients of a round's cohort are hosted; `isEvaluated` in rounds with a personalised evaluation.
  func placement(of cohort: [Int], isEvaluated: Bool) -> Placement {
    guard let costs else { return standing }
    return Placement(
      balancing: cohort, costs: cohort.map { costs.cost(of: $0, evaluatedShare: isEvaluated ? 1 : 0) },
      clientCount: standing.clientCount, rankCount: standing.rankCount)
  }
}

/// What each client's part of a round costs its rank, in tokens of local steps; known before the run.
struct ClientCosts: Sendable {
  /// Tokens of a forward pass that take as long as one of a local step, which also goes backward.
  private static let forwardTokensPerToken = 2.0

  /// By client.
  private let trained: [Double]
  private let heldOut: [Double]

  init(_ experiment: Experiment) {
    trained = experiment.shards.map { experiment.expectedTokensPerRound(of: $0) }
    heldOut = experiment.shards.map { shard in
      guard experiment.configuration.evaluate.personalised else { return 0 }
      return Double(experiment.tokenCount(ofRows: shard.heldOutRows))
    }
  }

  /// `evaluatedShare` is the share of the rounds in question in which the client's own model is evaluated.
  func cost(of client: Int, evaluatedShare: Double) -> Double {
    trained[client] + evaluatedShare * heldOut[client] / Self.forwardTokensPerToken
  }
}
