extension RunConfiguration {
  /// Local training, and the number of rounds.
  public struct Training: Sendable, Equatable {
    public var rounds = 20
    public var length = Length.steps(10)
    /// Rows a step.
    public var batch = 16
    public var optimizer = Optimizer.adamW()
    public var learningRate = 1e-3
    public var weightDecay = 0.0
    public var schedule = Schedule.constant
    /// Steps over which the learning rate rises from 0.
    public var warmUp = 0
    /// The largest norm of a step's gradient; nil does not clip.
    public var clipNorm: Double? = 1.0
    public var optimizerState = OptimizerState.reset

    public init() {}
  }

  /// How long a client trains in a round.
  public enum Length: Sendable, Equatable {
    case steps(Int)
    /// Passes over the client's own rows.
    case epochs(Int)
  }

  /// The rule of a local step, with the constants that it alone has.
  public enum Optimizer: Sendable, Equatable {
    case adamW(beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-8)
    case sgd(momentum: Double = 0)
  }

  /// How the learning rate goes on after the warm-up.
  public enum Schedule: String, Sendable, CaseIterable {
    case constant
    /// Falls to 0 at the end of the run.
    case linear
  }

  /// What becomes of the optimiser's moments when a round ends.
  public enum OptimizerState: String, Sendable, CaseIterable {
    case reset
    case keep
  }
}
