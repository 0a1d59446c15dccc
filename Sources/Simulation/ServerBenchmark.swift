internal import Adapters
internal import Aggregation
public import Configuration
public import MPI
internal import Randomness
public import Telemetry

/// Times the exchange of a round alone, from the clients' packed updates to the servers' messages on every rank,
/// under each way to serve: in turns, on the same updates.
public struct ServerBenchmark {
  /// One line of the table. Seconds are medians over the exchanges of the slowest rank's.
  public struct Result: Sendable, JSONRepresentable {
    public let mode: RunConfiguration.Server.Mode
    public let method: String
    /// Of the configuration's clients those that take part.
    public let cohortSize: Int
    public let wire: RunConfiguration.Server.Wire
    public let rankCount: Int
    public let exchanges: Int
    /// Of a whole exchange, from a common start until the last rank has every message.
    public let seconds: Double
    /// Of each phase by itself. A rank waits for another's estimate in `wait`, with `pipelined` in `broadcast`.
    public let phases: [Phase: Double]
    /// Bytes that come to the rank to which most come.
    public let receivedByteCount: Int

    public var json: JSONValue {
      .object([
        ("benchmark", .string("servers")), ("mode", .string(mode.rawValue)), ("method", .string(method)),
        ("wire", .string(wire.rawValue)), ("cohort", .integer(cohortSize)), ("ranks", .integer(rankCount)),
        ("exchanges", .integer(exchanges)), ("seconds", .number(seconds)),
        ("phases", .object(ServerBenchmark.phases.map { ($0.rawValue, .number(phases[$0] ?? 0)) })),
        ("receivedBytes", .integer(receivedByteCount)),
      ])
    }
  }

  /// The phases that an exchange has.
  public static let phases: [Phase] = [.wait, .gather, .estimate, .broadcast]

  private let experiment: Experiment
  private let exchanges: Int

  /// The mode of the experiment's configuration does not matter: all are measured.
  public init(_ experiment: Experiment, exchanges: Int) {
    precondition(exchanges > 0, "\(exchanges) exchanges")
    self.experiment = experiment
    self.exchanges = exchanges
  }

  /// Measures every mode; one result each at rank 0, none elsewhere. A collective operation.
  public func run(_ world: borrowing Communicator) throws -> [Result] {
    let modes = RunConfiguration.Server.Mode.allCases
    let federations = try modes.map { mode in
      try Federation(experiment.serving(mode), rankCount: world.size, isEvaluated: false)
    }
    var measured = modes.map { _ in Measured() }
    for exchange in -1..<exchanges {
      for (index, federation) in federations.enumerated() {
        let one = try federation.measuredExchange(world)
        // The first touches the memory.
        if exchange >= 0 { measured[index].append(one) }
      }
    }
    return try zip(modes, measured).compactMap { mode, measured in try result(mode, measured, world) }
  }

  private func result(
    _ mode: RunConfiguration.Server.Mode, _ measured: Measured, _ world: borrowing Communicator
  ) throws -> Result? {
    let slowest = try world.reduce(measured.rows.flatMap { $0 }, .maximum, to: Federation.root)
    let received = try world.reduce(Int64(measured.receivedByteCount), .maximum, to: Federation.root)
    guard let slowest, let received else { return nil }
    let width = Self.phases.count + 1
    func median(_ column: Int) -> Double {
      stride(from: column, to: slowest.count, by: width).map { slowest[$0] }.median
    }
    return Result(
      mode: mode, method: experiment.rule.name, cohortSize: experiment.sampler.cohortSize,
      wire: experiment.configuration.server.wire,
      rankCount: world.size, exchanges: exchanges, seconds: median(0),
      phases: Dictionary(
        uniqueKeysWithValues: Self.phases.enumerated().map { ($1, median($0 + 1)) }),
      receivedByteCount: Int(received))
  }
}

/// What one rank saw of a mode's exchanges.
private struct Measured {
  /// Of every exchange the seconds of the whole and of its phases.
  var rows: [[Double]] = []
  var receivedByteCount = 0

  mutating func append(_ one: (seconds: [Double], received: Int)) {
    rows.append(one.seconds)
    receivedByteCount = one.received
  }
}

extension Federation {
  /// One exchange of updates that nobody trained: a rank's seconds and the bytes that it received.
  fileprivate func measuredExchange(
    _ world: borrowing Communicator
  ) throws -> (seconds: [Double], received: Int) {
    let cohort = placeCohort(ofRound: 1)
    let plans = RoundPlans(rule.wirePlan(round: 1), experiment.family)
    let updates = try untrained(placement.clients(of: cohort, onRank: world.rank), plans)
    var bytes = CountedBytes()
    timer.reset()
    try world.barrier()
    let watch = Stopwatch()
    _ = try exchange(updates, cohort, plans, round: 1, counting: &bytes, world)
    let seconds = watch.elapsedSeconds
    return (
      [seconds] + ServerBenchmark.phases.map { timer[$0] },
      bytes.gather.receivedByteCount + bytes.broadcast.receivedByteCount
    )
  }

  /// What clients would send whose factors differ by a tenth from common ones: numbers of no training, so that
  /// the exchange alone is measured.
  private func untrained(_ clients: [Int], _ plans: RoundPlans) throws -> Trained {
    let common = noise(AdapterParameters(layout: experiment.layout), part: 0)
    var trained = Trained(parcels, experiment.configuration.server.wire)
    for client in clients {
      var parameters = common.leadingPart(experiment.family[client: client].layout)
      let own = noise(parameters, client: client, part: 1)
      for index in parameters.values.indices { parameters.values[index] += 0.1 * own.values[index] }
      try trained.append(parameters, of: client, plans[client: client], round: 1)
    }
    return trained
  }

  /// Numbers that are uniform in ±0.05.
  private func noise(
    _ parameters: AdapterParameters, client: Int = 0, part: Int
  ) -> AdapterParameters {
    var parameters = parameters
    var stream = RandomStream(
      RandomKey(seed: experiment.configuration.seed, purpose: .benchmark, client: client, part: part))
    for index in parameters.values.indices {
      parameters.values[index] = 0.1 * (stream.uniformFloat() - 0.5)
    }
    return parameters
  }
}
