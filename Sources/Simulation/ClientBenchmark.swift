public import Telemetry
internal import Aggregation
internal import Transformer

/// Times what it costs to go from one client to the next: a round of training of all clients on this rank, beside
/// their local steps alone.
public struct ClientBenchmark {
  public struct Result: Sendable, JSONRepresentable {
    public let clients: Int
    public let steps: Int
    /// Seconds of all local steps.
    public let stepSeconds: Double
    /// Seconds of everything else: a client's factors and optimiser state put in place, its rows chosen and packed,
    /// what it sends packed.
    public let otherSeconds: Double
    /// What the process's resident memory grew by while the clients trained.
    public let addedBytes: Int

    public var microsecondsPerClient: Double { otherSeconds / Double(clients) * 1e6 }

    public var json: JSONValue {
      .object([
        ("benchmark", .string("clients")), ("clients", .integer(clients)), ("steps", .integer(steps)),
        ("stepSeconds", .number(stepSeconds)), ("otherSeconds", .number(otherSeconds)),
        ("microsecondsPerClient", .number(microsecondsPerClient)), ("addedBytes", .integer(addedBytes)),
      ])
    }
  }

  private let experiment: Experiment

  public init(_ experiment: Experiment) { self.experiment = experiment }

  /// Trains the cohort of the first round twice; the second time counts.
  public func run() throws -> Result {
    let federation = try Federation(experiment, rankCount: 1, isEvaluated: false)
    _ = try federation.trainCohort(StepProfile())
    let (profile, memory, watch) = (StepProfile(), PeakMemory(), Stopwatch())
    let clients = try federation.trainCohort(profile)
    return Result(
      clients: clients, steps: profile.steps, stepSeconds: profile.stepSeconds,
      otherSeconds: watch.elapsedSeconds - profile.stepSeconds, addedBytes: memory.addedBytes)
  }
}

extension Federation {
  /// Trains the clients of the first round on one rank; returns how many.
  fileprivate func trainCohort(_ profile: StepProfile) throws -> Int {
    trainer.measure(in: profile)
    let cohort = placeCohort(ofRound: 1)
    _ = try train(cohort, RoundPlans(rule.wirePlan(round: 1), experiment.family), round: 1)
    return cohort.count
  }
}
