import ClientData
import Configuration
import Foundation
import TestSupport
import Testing

@testable import Simulation

/// Where the clients of the tiny world are hosted, whose shards differ in size.
@Suite struct RoundPlacementTests {
  private let world: TinyWorld
  private var configuration: RunConfiguration

  init() throws {
    world = try TinyWorld()
    configuration = RunConfiguration(modelPath: world.model, dataPath: world.data)
    configuration.adapter.rank = .same(2)
    configuration.data.maximumLength = 10
    configuration.data.partition = .dirichlet(alpha: 0.3)
    configuration.clients.count = 9
    configuration.clients.placement = .balanced
    configuration.training.length = .epochs(1)
  }

  private func loads(_ placement: Placement, _ experiment: Experiment, _ cohort: [Int]) -> [Int] {
    (0..<placement.rankCount).map { rank in
      experiment.trainedTokenCount(round: 1, clients: placement.clients(of: cohort, onRank: rank))
    }
  }

  @Test func costsAreTheTokensThatAreTrained() throws {
    let experiment = try Experiment(configuration)
    for shard in experiment.shards {
      let trained = experiment.trainedTokenCount(round: 1, clients: [shard.id])
      #expect(experiment.expectedTokensPerRound(of: shard) == Double(trained))
      let byHand = shard.trainRows.reduce(0) { $0 + min(10, experiment.train.length(ofRow: $1)) }
      #expect(trained == byHand)
    }
    var inSteps = configuration
    inSteps.training.length = .steps(3)
    inSteps.training.batch = 4
    let stepped = try Experiment(inSteps)
    // The mean over an epoch's rounds is what is expected of one.
    let shard = try #require(stepped.shards.first { $0.trainRows.count >= 8 })
    let epoch = stepped.schedule(of: shard).stepsPerEpoch
    let rounds = (1...epoch).map { stepped.trainedTokenCount(round: $0, clients: [shard.id]) }
    #expect(
      abs(Double(rounds.reduce(0, +)) / Double(epoch) - stepped.expectedTokensPerRound(of: shard)) < 1e-9)
    #expect(stepped.stepCount(clients: [0, 3]) == 6)
  }

  @Test func everyRankHasAboutAsMuchToTrain() throws {
    let experiment = try Experiment(configuration)
    let placements = RoundPlacements(experiment, rankCount: 3)
    for cohort in [[0, 1, 2, 3, 4, 5, 6, 7, 8], [1, 2, 3, 5, 8]] {
      let balanced = loads(placements.placement(of: cohort, isEvaluated: false), experiment, cohort)
      let largest = cohort.map { experiment.trainedTokenCount(round: 1, clients: [$0]) }.max()!
      let mean = balanced.reduce(0, +) / 3
      #expect(balanced.max()! <= max(largest, mean * 4 / 3), "\(balanced)")
      for kind in [Placement.Kind.block, .cyclic] {
        let fixed = Placement(kind: kind, clientCount: 9, rankCount: 3)
        #expect(balanced.max()! <= loads(fixed, experiment, cohort).max()!)
      }
    }
  }

  /// Two clients that train little: the one whose own rows are many costs more where they are evaluated.
  @Test mutating func evaluationCounts() throws {
    configuration.training.length = .steps(1)
    configuration.training.batch = 1
    configuration.data.heldOut = 0.5
    let experiment = try Experiment(configuration)
    let costs = ClientCosts(experiment)
    for shard in experiment.shards {
      let own = Double(experiment.tokenCount(ofRows: shard.heldOutRows))
      let added = costs.cost(of: shard.id, evaluatedShare: 1) - costs.cost(of: shard.id, evaluatedShare: 0)
      #expect(abs(added - own / 2) < 1e-9)
    }
    let placements = RoundPlacements(experiment, rankCount: 3)
    let cohort = Array(0..<9)
    #expect(
      placements.placement(of: cohort, isEvaluated: true)
        != placements.placement(of: cohort, isEvaluated: false))
  }

  @Test func cohortsAreDealtAnewUnlessClientsKeepAState() throws {
    func placements(_ change: (inout RunConfiguration) -> Void) throws -> (
      keeps: Bool, first: [Int], second: [Int]
    ) {
      var changed = configuration
      change(&changed)
      let experiment = try Experiment(changed)
      let placements = RoundPlacements(experiment, rankCount: 3)
      // Without its dearest client the rest is dealt otherwise.
      let dearest = experiment.shards.max { $0.trainRows.count < $1.trainRows.count }!.id
      let rest = (0..<9).filter { $0 != dearest }
      func ranks(_ cohort: [Int]) -> [Int] {
        let placement = placements.placement(of: cohort, isEvaluated: false)
        return rest.map { placement.rank(ofClient: $0) }
      }
      return (experiment.clientsKeepState, ranks(Array(0..<9)), ranks(rest))
    }
    let free = try placements { _ in }
    #expect(!free.keeps && free.first != free.second)
    for change: (inout RunConfiguration) -> Void in [
      { $0.method.name = .fedSALoRA }, { $0.adapter.head = .local }, { $0.training.optimizerState = .keep },
    ] {
      let kept = try placements(change)
      #expect(kept.keeps && kept.first == kept.second)
    }
  }

  @Test mutating func oneRowIsEnoughWhereNothingIsHeldBack() throws {
    configuration.data.partition = .iid
    configuration.clients.count = 210
    let withHeldOut = configuration
    #expect(throws: ClientDataError.self) { try Experiment(withHeldOut) }
    configuration.data.heldOut = 0
    configuration.evaluate.personalised = false
    #expect(
      try Experiment(configuration).shards.allSatisfy { $0.trainRows.count == 1 && $0.heldOutRows.isEmpty })
  }
}
