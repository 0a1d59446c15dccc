public import Adapters
internal import Aggregation
internal import ClientData
internal import Configuration
public import MPI
public import Telemetry
public import Transformer

/// What a run has made: an adapter, and for methods that change them the base weights that it belongs to.
public struct TrainedModel: Sendable {
  public let adapter: AdapterParameters
  public let base: BaseWeights?
}

/// What the root reports of a round.
public struct RoundOutcome: Sendable {
  public let report: RoundReport
  public let layers: [LayerReport]
  /// Of every rank, on the root's clock.
  public let spans: [[TraceSpan]]
}

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
  /// What travels and is estimated by itself.
  let parcels: [Parcel]
  var memories: [Int: ClientMemory] = [:]
  /// The adapted layers' base weights, for methods that change them.
  var base: BaseWeights?
  var timer = PhaseTimer()
  /// What makes this rank's clock that of the root.
  private(set) var clockOffset = 0.0
  /// The last round that is done, 0 before the first.
  public internal(set) var round = 0
  /// What the next round starts from.
  var global: AdapterParameters
  /// The model of the last round's evaluation.
  var evaluated: AdapterParameters
  /// The last round from which the run can go on; nil where nothing has been saved.
  public internal(set) var savedRound: Int?

  /// Whether rounds are evaluated as the configuration says, and ρ is found; else they train and communicate alone.
  let isEvaluated: Bool

  /// Prepares the rank's part; `rankCount` is the size of the communicator that `run` will get.
  public init(_ experiment: Experiment, rankCount: Int, isEvaluated: Bool = true) throws {
    self.isEvaluated = isEvaluated
    let configuration = experiment.configuration
    self.experiment = experiment
    rule = experiment.rule
    global = experiment.start
    evaluated = experiment.start
    placements = RoundPlacements(experiment, rankCount: rankCount)
    placement = placements.standing
    sampler = experiment.sampler
    if experiment.changesBase {
      base = try experiment.pretrained.baseWeights(layout: experiment.layout)
    }
    trainer = ClientTrainer(experiment)
    parcels = Parcel.parcels(
      configuration.server.mode, layerCount: experiment.layout.layers.count, rankCount: rankCount)
    evaluator = Evaluator(maximumLength: configuration.data.maximumLength)
    testChunks = DealtChunks(
      all: experiment.test.evaluationChunks(of: experiment.testRows, size: configuration.evaluate.batch))
  }

  /// The cohort of a round, dealt to the ranks.
  func placeCohort(ofRound round: Int) -> [Int] {
    let cohort = sampler.cohort(round: round)
    placement = placements.placement(of: cohort, isEvaluated: evaluates(round))
    return cohort
  }

  /// Runs the rounds that are left and returns the final model, as it was evaluated, the same on every rank.
  /// `observe` is called after each round at rank 0 only, then `save` on every rank if a checkpoint is due. A
  /// collective operation.
  public func run(
    _ world: borrowing Communicator, save: () throws -> Void = {},
    observe: (RoundOutcome) throws -> Void
  ) throws -> TrainedModel {
    clockOffset = try world.clockOffset(to: Self.root) { timer.clock }
    while round < experiment.configuration.training.rounds {
      let outcome = try runRound(round + 1, world)
      round += 1
      if let outcome { try observe(outcome) }
      if isCheckpointDue { try save() }
    }
    return TrainedModel(adapter: evaluated, base: base)
  }
}
