public import Adapters
internal import Aggregation
internal import ClientData
internal import Configuration
public import MPI
public import Telemetry
internal import Transformer

/// One rank's part of a federated run: the clients that it hosts, and at the root the server.
public final class Federation {
  static let root = 0

  let experiment: Experiment
  let rule: any AggregationRule
  private let placements: RoundPlacements
  /// Where the clients of the present round are hosted.
  private(set) var placement: Placement
  let sampler: CohortSampler
  let trainer: ClientTrainer
  let evaluator: Evaluator
  let testChunks: DealtChunks
  var memories: [Int: ClientMemory] = [:]
  /// The adapted layers' base weights, for methods that change them.
  var base: BaseWeights?
  var timer = PhaseTimer()

  /// Prepares the rank's part; `rankCount` is the size of the communicator that `run` will get.
  public init(_ experiment: Experiment, rankCount: Int) throws {
    let configuration = experiment.configuration
    self.experiment = experiment
    rule = try AggregationRules.rule(named: configuration.method.name.rawValue)
    placements = RoundPlacements(experiment, rule, rankCount: rankCount)
    placement = placements.standing
    sampler = CohortSampler(
      clientCount: configuration.clients.count, participation: configuration.clients.participation,
      seed: configuration.seed)
    if rule.wirePlan(round: 1).base != .none {
      base = try experiment.pretrained.baseWeights(layout: experiment.layout)
    }
    trainer = ClientTrainer(experiment)
    evaluator = Evaluator(maximumLength: configuration.data.maximumLength)
    testChunks = DealtChunks(all: experiment.test.evaluationChunks(size: configuration.evaluate.batch))
  }

  /// The cohort of a round, dealt to the ranks.
  func placeCohort(ofRound round: Int) -> [Int] {
    let cohort = sampler.cohort(round: round)
    placement = placements.placement(of: cohort, isEvaluated: evaluates(round))
    return cohort
  }

  /// Runs all rounds and returns the final global adapter, as it was evaluated, the same on every rank. `observe` is called
  /// after each round, at rank 0 only. A collective operation.
  public func run(
    _ world: borrowing Communicator, observe: (RoundReport, [LayerReport]) throws -> Void
  ) throws -> AdapterParameters {
    var global = experiment.start
    var evaluated = global
    for round in 1...experiment.configuration.training.rounds {
      let reports = try runRound(round, &global, evaluated: &evaluated, world)
      if let reports { try observe(reports.round, reports.layers) }
    }
    return evaluated
  }
}
