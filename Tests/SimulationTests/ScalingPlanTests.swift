import Configuration
import Testing

@testable import Simulation

@Suite struct ScalingPlanTests {
  private var configuration: RunConfiguration

  init() {
    configuration = RunConfiguration(modelPath: "model", dataPath: "data")
    configuration.clients.count = 8
    configuration.training.length = .steps(20)
  }

  @Test func strongRowsShareOneTotal() throws {
    let plan = try ScalingPlan(.strong, counts: [4, 16, 64], rankCount: 2, of: configuration)
    // 8 clients of 20 steps are 160; the next multiple of 64 is 192.
    #expect(plan.totalSteps == 192)
    #expect(plan.rows.map(\.stepsPerClient) == [48, 12, 3] && plan.rows.map(\.clientCount) == [4, 16, 64])
    let exact = try ScalingPlan(.strong, counts: [4, 16], rankCount: 2, totalSteps: 320, of: configuration)
    #expect(exact.rows.map(\.stepsPerClient) == [80, 20])
    #expect(
      exact.rows[1].overrides(rounds: 4) == [
        "clients.count=16", "training.rounds=4", "checkpoint.every=0", "training.steps=20",
      ])
  }

  @Test mutating func cohortsShareTheTotalNotAllClients() throws {
    configuration.clients.participation = 0.25
    let plan = try ScalingPlan(.strong, counts: [8, 40], rankCount: 1, of: configuration)
    // Cohorts of 2 and 10 share the 40 steps of the configuration's two clients.
    #expect(plan.totalSteps == 40 && plan.rows.map(\.stepsPerClient) == [20, 4])
  }

  @Test func weakRowsGrowWithTheRanks() throws {
    let plan = try ScalingPlan(.weak, counts: [2, 8], rankCount: 3, of: configuration)
    #expect(plan.rows.map(\.clientCount) == [6, 24] && plan.rows.map(\.stepsPerClient) == [20, 20])
    #expect(plan.totalSteps == nil)
  }

  @Test mutating func unevenSharesAreRefused() {
    let (one, configured) = (configuration, 160)
    #expect(throws: ScalingPlanError.unevenTotal(configured, cohorts: [7, 9, 64], multiple: 4032)) {
      try ScalingPlan(.strong, counts: [7, 9, 64], rankCount: 1, of: one)
    }
    #expect(throws: ScalingPlanError.unevenTotal(100, cohorts: [8], multiple: 8)) {
      try ScalingPlan(.strong, counts: [8], rankCount: 1, totalSteps: 100, of: one)
    }
    #expect(throws: ScalingPlanError.weakHasNoTotal) {
      try ScalingPlan(.weak, counts: [8], rankCount: 1, totalSteps: 96, of: one)
    }
  }

  @Test mutating func epochsShareTheData() throws {
    configuration.training.length = .epochs(2)
    let plan = try ScalingPlan(.strong, counts: [3, 7], rankCount: 1, of: configuration)
    #expect(plan.rows.map(\.stepsPerClient) == [nil, nil] && plan.totalSteps == nil)
    #expect(!plan.rows[0].overrides(rounds: 2).contains { $0.hasPrefix("training.steps") })
    let epochs = configuration
    #expect(throws: ScalingPlanError.epochsGrowNoWork) {
      try ScalingPlan(.weak, counts: [3], rankCount: 1, of: epochs)
    }
    #expect(throws: ScalingPlanError.epochsHaveNoTotal) {
      try ScalingPlan(.strong, counts: [3], rankCount: 1, totalSteps: 6, of: epochs)
    }
  }

  /// 10,000 clients that each take one step.
  @Test mutating func manyClientsOfOneStep() throws {
    configuration.training.length = .steps(1)
    let plan = try ScalingPlan(.strong, counts: [1000, 10000], rankCount: 2, of: configuration)
    #expect(plan.rows.map(\.stepsPerClient) == [10, 1])
  }
}
