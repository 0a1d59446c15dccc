internal import Configuration
public import MPI
public import Telemetry

/// The rounds of one configuration, timed: all but the first.
public struct ScalingMeasurement {
  public struct Result: Sendable {
    public let rounds: [RoundReport]
    /// Seconds from the end of one round to the end of the next, at rank 0.
    public let wallSeconds: [Double]
    /// Local steps and trained tokens of these rounds.
    public let steps: Int
    public let tokens: Int
    /// The most memory that any rank has had resident meanwhile.
    public let peakByteCount: Int
  }

  private let experiment: Experiment
  private let isEvaluated: Bool

  /// `isEvaluated`: whether rounds are evaluated as the configuration says, and reports have ρ; else they only train
  /// and communicate.
  public init(_ experiment: Experiment, isEvaluated: Bool) {
    precondition(experiment.configuration.training.rounds > 1, "no round to time after the first")
    self.experiment = experiment
    self.isEvaluated = isEvaluated
  }

  /// Runs all rounds; the result at rank 0, nil elsewhere. A collective operation.
  public func run(_ world: borrowing Communicator) throws -> Result? {
    let federation = try Federation(experiment, rankCount: world.size, isEvaluated: isEvaluated)
    var rounds: [RoundReport] = []
    var ends: [Double] = []
    let memory = PeakMemory()
    let watch = Stopwatch()
    _ = try federation.run(world) { outcome in
      rounds.append(outcome.report)
      ends.append(watch.elapsedSeconds)
    }
    let peak = try world.reduce(Int64(memory.totalBytes), .maximum, to: Federation.root)
    guard let peak else { return nil }
    rounds.removeFirst()
    return Result(
      rounds: rounds, wallSeconds: zip(ends, ends.dropFirst()).map { $1 - $0 },
      steps: rounds.reduce(0) { $0 + experiment.stepCount(clients: $1.clients) },
      tokens: rounds.reduce(0) {
        $0 + experiment.trainedTokenCount(round: $1.round, clients: $1.clients)
      }, peakByteCount: Int(peak))
  }
}
