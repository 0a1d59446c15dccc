extension RunConfiguration {
  /// What may change when a run goes on: who computes, when state is saved, and the number of rounds, which is
  /// looked at by itself.
  private static let changeable: Set = [
    "clients.placement", "server.mode", "checkpoint.every", "training.rounds",
  ]

  /// Refuses to go on under this configuration with a run that began under another one. What decides the result
  /// has to be the same; rounds may be added where those that are done do not depend on their number.
  ///
  /// - Throws: an error that names the first key that differs.
  public func requireContinuation(of begun: RunConfiguration) throws(ConfigurationError) {
    let own = Dictionary(uniqueKeysWithValues: text.values().map { ($0.keyPath, $0.value) })
    let other = Dictionary(uniqueKeysWithValues: begun.text.values().map { ($0.keyPath, $0.value) })
    let keys = begun.text.values().map(\.keyPath) + text.values().map(\.keyPath)
    for key in keys where !Self.changeable.contains(key) && own[key] != other[key] {
      throw Self.difference(key, expected: other[key] ?? "nothing", found: own[key] ?? "nothing")
    }
    let (rounds, begunRounds) = (training.rounds, begun.training.rounds)
    guard rounds != begunRounds else { return }
    guard training.schedule != .linear else {
      throw Self.difference(
        "training.rounds", expected: "\(begunRounds), from which the linear schedule's learning rates follow",
        found: "\(rounds)")
    }
    guard rounds > begunRounds else {
      throw Self.difference("training.rounds", expected: "at least \(begunRounds)", found: "\(rounds)")
    }
  }

  private static func difference(_ key: String, expected: String, found: String) -> ConfigurationError {
    ConfigurationError(
      origin: "--resume", keyPath: key, problem: "expected \(expected), as the run began; found \(found)")
  }
}
