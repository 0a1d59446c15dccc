internal import Randomness

/// Who takes part in a round: a pure function of the seed, so that every rank finds the same cohort.
public struct CohortSampler: Sendable, Equatable {
  public let clientCount: Int
  /// The share of the clients that take part, in (0, 1].
  public let participation: Double
  public let seed: UInt64

  public init(clientCount: Int, participation: Double, seed: UInt64) {
    precondition(participation > 0 && participation <= 1, "a participation of \(participation)")
    self.clientCount = clientCount
    self.participation = participation
    self.seed = seed
  }

  /// Clients of a round: the share rounded to nearest, at least one.
  public var cohortSize: Int { max(1, Int((participation * Double(clientCount)).rounded())) }

  /// The ids of round `round`'s clients in ascending order, drawn without repetition.
  public func cohort(round: Int) -> [Int] {
    var stream = RandomStream(RandomKey(seed: seed, purpose: .cohort, round: round))
    return stream.sample(cohortSize, of: clientCount)
  }
}
