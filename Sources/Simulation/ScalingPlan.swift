internal import Aggregation
public import Configuration

/// How a round's work is divided when the number of clients grows.
public enum ScalingMode: String, Sendable, CaseIterable {
  /// The same total of local steps in every row, shared by the clients of the round.
  case strong
  /// The same local steps a client in every row: the work grows with the clients.
  case weak
}

/// The rows of a sweep over numbers of clients, as overrides of one configuration.
public struct ScalingPlan: Sendable, Equatable {
  public struct Row: Sendable, Equatable {
    public let clientCount: Int
    /// Nil where clients train for epochs.
    public let stepsPerClient: Int?

    /// What makes the row of the configuration, for `RunConfiguration.load`.
    public func overrides(rounds: Int) -> [String] {
      ["clients.count=\(clientCount)", "training.rounds=\(rounds)", "checkpoint.every=0"]
        + (stepsPerClient.map { ["training.steps=\($0)"] } ?? [])
    }
  }

  public let mode: ScalingMode
  public let rows: [Row]
  /// Of strong scaling in steps: the local steps of all clients in a round.
  public let totalSteps: Int?

  /// `counts` are numbers of clients, with weak scaling of clients a rank.
  ///
  /// Strong scaling shares `totalSteps`, by default those of a round of `configuration`, rounded up until every
  /// row's cohort shares them evenly. Where clients train for epochs, they share the data as it is.
  public init(
    _ mode: ScalingMode, counts: [Int], rankCount: Int, totalSteps: Int? = nil,
    of configuration: RunConfiguration
  ) throws(ScalingPlanError) {
    self.mode = mode
    let clients = mode == .weak ? counts.map { $0 * rankCount } : counts
    guard case .steps(let steps) = configuration.training.length else {
      if mode == .weak { throw .epochsGrowNoWork }
      if totalSteps != nil { throw .epochsHaveNoTotal }
      rows = clients.map { Row(clientCount: $0, stepsPerClient: nil) }
      self.totalSteps = nil
      return
    }
    guard mode == .strong else {
      if totalSteps != nil { throw .weakHasNoTotal }
      rows = clients.map { Row(clientCount: $0, stepsPerClient: steps) }
      self.totalSteps = nil
      return
    }
    func cohortSize(_ count: Int) -> Int {
      CohortSampler(
        clientCount: count, participation: configuration.clients.participation, seed: configuration.seed
      ).cohortSize
    }
    let total = try Self.sharedTotal(
      totalSteps, near: steps * cohortSize(configuration.clients.count), cohorts: clients.map(cohortSize))
    rows = clients.map { Row(clientCount: $0, stepsPerClient: total / cohortSize($0)) }
    self.totalSteps = total
  }

  /// A total that cohorts of all these sizes share evenly.
  private static func sharedTotal(
    _ wanted: Int?, near configured: Int, cohorts: [Int]
  ) throws(ScalingPlanError) -> Int {
    let multiple = cohorts.reduce(1) { $0 / greatestCommonDivisor($0, $1) * $1 }
    if let wanted {
      guard wanted % multiple == 0 else { throw .unevenTotal(wanted, cohorts: cohorts, multiple: multiple) }
      return wanted
    }
    let total = (configured + multiple - 1) / multiple * multiple
    // Rounding up must not make another experiment of it.
    guard total <= max(2 * configured, cohorts.max() ?? 1) else {
      throw .unevenTotal(configured, cohorts: cohorts, multiple: multiple)
    }
    return total
  }
}

/// Why a sweep cannot be planned as asked.
public enum ScalingPlanError: Error, Equatable, CustomStringConvertible {
  case unevenTotal(Int, cohorts: [Int], multiple: Int)
  case epochsGrowNoWork
  case epochsHaveNoTotal
  case weakHasNoTotal

  public var description: String {
    switch self {
    case .unevenTotal(let total, let cohorts, let multiple):
      "--clients: expected cohorts that share \(total) local steps evenly, found cohorts of "
        + cohorts.map(String.init).joined(separator: ", ")
        + "; name other clients, or a --total-steps that is a multiple of \(multiple)"
    case .epochsGrowNoWork:
      "--weak: expected training.steps, found training.epochs, which share the same data among all clients; "
        + "add --set training.epochs=null --set training.steps=N"
    case .epochsHaveNoTotal: "--total-steps: expected training.steps, found training.epochs"
    case .weakHasNoTotal: "--total-steps: expected without --weak, whose steps are those of each client"
    }
  }
}

private func greatestCommonDivisor(_ a: Int, _ b: Int) -> Int { b == 0 ? a : greatestCommonDivisor(b, a % b) }
