internal import Adapters
internal import Aggregation
internal import ClientData
internal import Configuration

extension Experiment {
  /// Tokens of training rows after they are cut to `data.maximum-length`.
  func tokenCount(ofRows rows: some Sequence<Int>) -> Int {
    rows.reduce(0) { $0 + min(train.length(ofRow: $1), configuration.data.maximumLength) }
  }

  /// The tokens that a client trains on in a round: exact where rounds are epochs, elsewhere the mean over the
  /// rows that its steps may have.
  func expectedTokensPerRound(of shard: ClientShard) -> Double {
    let epoch = Double(tokenCount(ofRows: shard.trainRows))
    switch configuration.training.length {
    case .epochs(let count): return epoch * Double(count)
    case .steps(let count): return epoch * Double(count) / Double(schedule(of: shard).stepsPerEpoch)
    }
  }

  /// The tokens that these clients train on in a round, counted row by row.
  public func trainedTokenCount(round: Int, clients: [Int]) -> Int {
    clients.reduce(0) { sum, client in
      let schedule = schedule(of: shards[client])
      let steps = configuration.training.length.steps(schedule)
      return sum + tokenCount(ofRows: schedule.batches(round: round, stepsPerRound: steps).joined())
    }
  }

  /// The local steps that these clients take in a round.
  public func stepCount(clients: [Int]) -> Int {
    clients.reduce(0) { $0 + configuration.training.length.steps(schedule(of: shards[$1])) }
  }

  func schedule(of shard: ClientShard) -> BatchSchedule {
    BatchSchedule(
      client: shard.id, rows: shard.trainRows, batchSize: configuration.training.batch,
      seed: configuration.seed)
  }

  /// Whether clients keep a state from one round to the next: a local head, a factor that stays, the optimiser's
  /// moments. No rule has a cycle of more than two rounds.
  var clientsKeepState: Bool {
    configuration.training.optimizerState == .keep
      || (1...2).contains { !RoundPlan(rule.wirePlan(round: $0), layout: layout).kept.isEmpty }
  }
}

extension RunConfiguration.Length {
  /// Local steps of a round.
  func steps(_ schedule: BatchSchedule) -> Int {
    switch self {
    case .steps(let count): count
    case .epochs(let count): schedule.steps(epochs: count)
    }
  }
}
