internal import Adapters
internal import ClientData
internal import Configuration
internal import Randomness
internal import Transformer

/// What a client keeps from round to round, at the rank that hosts it; empty where the configuration
/// keeps nothing.
struct ClientMemory: Sendable {
  /// With `training.optimizer-state: keep`.
  var optimizer: OptimizerState?
  /// What the client trains and does not send: a local head, a factor that stays.
  var kept: [Float]?

  var isEmpty: Bool { optimizer == nil && kept == nil }
}

/// A client's local training in one round, on memory that is reused from client to client.
final class ClientTrainer {
  private let experiment: Experiment
  /// By adapter rank, on one memory.
  private let trainers: [Int: LocalTrainer]
  private var packed = PackedBatch()
  /// What clients of an adapter rank train in, one after the other: they move through the same memory.
  private var places: [Int: Place] = [:]

  /// A client's factors and optimiser state while it trains.
  private struct Place {
    var parameters: AdapterParameters
    var state: OptimizerState
  }

  init(_ experiment: Experiment) {
    self.experiment = experiment
    let training = experiment.configuration.training
    let memory = StepMemory()
    trainers = experiment.family.members.mapValues { member in
      LocalTrainer(
        model: member.model.trainable, optimizer: Optimizer(training),
        clipNorm: training.clipNorm.map { Float($0) },
        dropoutProbability: Float(experiment.configuration.adapter.dropout), memory: memory)
    }
  }

  /// Where the steps of every client are booked from now on.
  func measure(in profile: StepProfile) {
    for trainer in trainers.values { trainer.profile = profile }
  }

  private var configuration: RunConfiguration { experiment.configuration }

  /// Trains `client` from its part of the last broadcast's values over `base`; returns its own values and
  /// the mean loss of its steps. A pure function of its arguments and the configuration.
  func train(
    _ client: Int, from global: AdapterParameters, base: BaseWeights? = nil, plan: RoundPlan, round: Int,
    memory: inout ClientMemory
  ) -> (parameters: AdapterParameters, loss: Double) {
    let adapterRank = experiment.family.adapterRank(ofClient: client)
    guard let trainer = trainers[adapterRank] else { preconditionFailure("no trainer of \(adapterRank)") }
    var place = takePlace(ofAdapterRank: adapterRank, global)
    if let kept = memory.kept { place.parameters[plan.kept] = kept }
    if let kept = memory.optimizer { place.state = kept }
    let schedule = experiment.schedule(of: experiment.shards[client])
    let steps = configuration.training.length.steps(schedule)
    let learningRates = learningRates(stepsPerRound: steps)
    var loss = 0.0
    for (step, rows) in schedule.batches(round: round, stepsPerRound: steps).enumerated() {
      packed.fill(experiment.train, rows: rows, maximumLength: configuration.data.maximumLength)
      let key = RandomKey(
        seed: configuration.seed, purpose: .dropout, client: client, round: round, step: step)
      loss += trainer.step(
        TokenBatch(packed), parameters: &place.parameters, state: &place.state,
        trained: plan.trained, base: base,
        learningRate: learningRates.rate(atStep: (round - 1) * steps + step), dropoutKey: key)
    }
    if configuration.training.optimizerState == .keep { memory.optimizer = place.state }
    if !plan.kept.isEmpty { memory.kept = place.parameters[plan.kept] }
    places[adapterRank] = place
    return (place.parameters, loss / Double(steps))
  }

  /// The place of clients of an adapter rank as a client finds it: its part of `global`, and an optimiser that has
  /// taken no step. Taken out of the table, so that it is written where it lies, unless the last client's
  /// parameters are still held elsewhere.
  private func takePlace(ofAdapterRank rank: Int, _ global: AdapterParameters) -> Place {
    let layout = experiment.family.members[rank]!.layout
    guard var place = places.removeValue(forKey: rank) else {
      return Place(parameters: global.leadingPart(layout), state: OptimizerState(count: layout.count))
    }
    place.parameters.take(leadingPartOf: global)
    place.state.restart()
    return place
  }

  private func learningRates(stepsPerRound: Int) -> LearningRateSchedule {
    let training = configuration.training
    return LearningRateSchedule(
      shape: LearningRateSchedule.Shape(training.schedule), peak: Float(training.learningRate),
      warmUpSteps: training.warmUp, totalSteps: training.rounds * stepsPerRound)
  }
}
