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

/// One rank's part of a federated run: the clients that it hosts, and at the root the server.
public final class Federation {
  static let root = 0

  let experiment: Experiment
  let rule: any AggregationRule
  let placement: Placement
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
    rule = experiment.rule
    placement = Placement(
      kind: Placement.Kind(configuration.clients.placement), clientCount: configuration.clients.count,
      rankCount: rankCount)
    sampler = CohortSampler(
      clientCount: configuration.clients.count, participation: configuration.clients.participation,
      seed: configuration.seed)
    if experiment.changesBase {
      base = try experiment.pretrained.baseWeights(layout: experiment.layout)
    }
    trainer = ClientTrainer(experiment)
    evaluator = Evaluator(maximumLength: configuration.data.maximumLength)
    testChunks = DealtChunks(all: experiment.test.evaluationChunks(size: configuration.evaluate.batch))
  }

  /// Runs all rounds and returns the final model, as it was evaluated, the same on every rank. `observe` is called
  /// after each round, at rank 0 only. A collective operation.
  public func run(
    _ world: borrowing Communicator, observe: (RoundReport, [LayerReport]) throws -> Void
  ) throws -> TrainedModel {
    var global = experiment.start
    var evaluated = global
    for round in 1...experiment.configuration.training.rounds {
      let reports = try runRound(round, &global, evaluated: &evaluated, world)
      if let reports { try observe(reports.round, reports.layers) }
    }
    return TrainedModel(adapter: evaluated, base: base)
  }
}
