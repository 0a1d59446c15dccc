import Adapters
import Aggregation
import ClientData
import Configuration
import Randomness
import TestSupport
import Testing
import Transformer

@testable import Simulation

/// The trainer's wiring, held against `LocalTrainer` called by hand.
@Suite struct ClientTrainerTests {
  private let world: TinyWorld
  private var configuration: RunConfiguration

  init() throws {
    world = try TinyWorld()
    configuration = RunConfiguration(modelPath: world.model, dataPath: world.data)
    configuration.adapter.rank = .same(4)
    configuration.adapter.dropout = 0.2
    configuration.clients.count = 3
    configuration.data.maximumLength = 10
    configuration.training.rounds = 2
    configuration.training.length = .steps(3)
    configuration.training.batch = 5
    configuration.training.schedule = .linear
    configuration.training.warmUp = 2
    configuration.training.weightDecay = 0.1
  }

  private func plan(_ experiment: Experiment) -> RoundPlan {
    RoundPlan(.bothFactors, layout: experiment.layout)
  }

  /// Two rounds of client 1 by hand; `keepsState` carries the optimiser over.
  private func byHand(_ experiment: Experiment, keepsState: Bool) throws -> AdapterParameters {
    let trainer = LocalTrainer(
      model: try experiment.pretrained.classifier(layout: experiment.layout),
      optimizer: .adamW(beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.1), clipNorm: 1,
      dropoutProbability: 0.2)
    let rates = LearningRateSchedule(shape: .linear, peak: 1e-3, warmUpSteps: 2, totalSteps: 6)
    let rows = BatchSchedule(client: 1, rows: experiment.shards[1].trainRows, batchSize: 5, seed: 1)
    var parameters = try experiment.pretrained.start(layout: experiment.layout, seed: 1)
    var state = OptimizerState(count: experiment.layout.count)
    for step in 0..<6 {
      if step == 3, !keepsState { state = OptimizerState(count: experiment.layout.count) }
      let batch = PackedBatch(
        experiment.train, rows: rows.batches(ofSteps: step..<step + 1)[0], maximumLength: 10)
      _ = trainer.step(
        TokenBatch(
          tokens: batch.tokens, tokenTypes: batch.tokenTypes, offsets: batch.offsets,
          targets: .labels(batch.labels)), parameters: &parameters, state: &state,
        trained: experiment.layout.trainable, learningRate: rates.rate(atStep: step),
        dropoutKey: RandomKey(seed: 1, purpose: .dropout, client: 1, round: 1 + step / 3, step: step % 3))
    }
    return parameters
  }

  @Test(arguments: [RunConfiguration.OptimizerState.keep, .reset])
  func twoRoundsAreTheStepsByHand(optimizerState: RunConfiguration.OptimizerState) throws {
    var configuration = configuration
    configuration.training.optimizerState = optimizerState
    let experiment = try Experiment(configuration)
    let trainer = ClientTrainer(experiment)
    var parameters = experiment.start
    var memory = ClientMemory()
    for round in 1...2 {
      parameters =
        trainer.train(1, from: parameters, plan: plan(experiment), round: round, memory: &memory).parameters
    }
    #expect(try parameters == byHand(experiment, keepsState: optimizerState == .keep))
    #expect((memory.optimizer != nil) == (optimizerState == .keep) && memory.kept == nil)
  }

  @Test func whoSharesTheTrainerDoesNotMatter() throws {
    let experiment = try Experiment(configuration)
    var memory = ClientMemory()
    let alone = ClientTrainer(experiment).train(
      2, from: experiment.start, plan: plan(experiment), round: 1, memory: &memory)
    let shared = ClientTrainer(experiment)
    for client in 0..<2 {
      var other = ClientMemory()
      _ = shared.train(client, from: experiment.start, plan: plan(experiment), round: 1, memory: &other)
    }
    var again = ClientMemory()
    let after = shared.train(2, from: experiment.start, plan: plan(experiment), round: 1, memory: &again)
    #expect(after.parameters == alone.parameters && after.loss == alone.loss)
  }

  @Test func aLocalHeadIsKeptAndAFrozenOneStays() throws {
    var configuration = configuration
    configuration.adapter.head = .local
    let local = try Experiment(configuration)
    var memory = ClientMemory()
    let trained = ClientTrainer(local).train(
      0, from: local.start, plan: plan(local), round: 1, memory: &memory
    ).parameters
    #expect(memory.kept == Array(trained.head) && trained.head != local.start.head)
    configuration.adapter.head = .frozen
    let frozen = try Experiment(configuration)
    var none = ClientMemory()
    let kept = ClientTrainer(frozen).train(0, from: frozen.start, plan: plan(frozen), round: 1, memory: &none)
      .parameters
    #expect(kept.head == frozen.start.head && none.kept == nil)
  }
}
