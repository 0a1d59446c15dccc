import Configuration
import Testing

@Suite struct ResumingTests {
  private let begun = RunConfiguration(modelPath: "m", dataPath: "d")

  private func error(_ change: (inout RunConfiguration) -> Void) -> String? {
    var configuration = begun
    change(&configuration)
    do {
      try configuration.requireContinuation(of: begun)
      return nil
    } catch { return "\(error)" }
  }

  @Test func whatDecidesNoResultMayChange() {
    #expect(error { _ in } == nil)
    #expect(error { $0.clients.placement = .cyclic } == nil)
    #expect(error { $0.server.mode = .sharded } == nil)
    #expect(error { $0.checkpoint.every = 7 } == nil)
  }

  @Test func theFirstKeyThatDiffersIsNamed() {
    #expect(
      error {
        $0.adapter.rank = .same(4)
        $0.method.name = .ideal
      } == "--resume: adapter.rank: expected 8, as the run began; found 4")
    #expect(
      error { $0.adapter.targets = ["key"] }?.contains("adapter.targets: expected [query, value]") == true)
    #expect(error { $0.server.wire = .f16 }?.contains("server.wire: expected f32") == true)
    #expect(error { $0.evaluate.oracle = true }?.contains("evaluate.oracle: expected false") == true)
  }

  @Test func keysThatOneSideLacksDiffer() {
    #expect(
      error { $0.training.optimizer = .sgd(momentum: 0) }?.contains("optimizer: expected adamw") == true)
    #expect(error { $0.training.length = .epochs(10) }?.contains("training.steps: expected 10") == true)
    #expect(
      error { $0.data.partition = .dirichlet(alpha: 1) }?.contains("data.partition.kind: expected iid")
        == true)
  }

  @Test func roundsMayBeAddedWhereTheyChangeNoEarlierOne() throws {
    #expect(error { $0.training.rounds = 21 } == nil)
    #expect(error { $0.training.rounds = 19 }?.contains("training.rounds: expected at least 20") == true)
    var linear = begun
    linear.training.schedule = .linear
    var longer = linear
    longer.training.rounds = 21
    #expect(throws: ConfigurationError.self) { try longer.requireContinuation(of: linear) }
    try linear.requireContinuation(of: linear)
  }
}
