/// Seconds since it was made, by a clock that never goes back.
public struct Stopwatch: Sendable {
  private let start = ContinuousClock.now

  public init() {}

  public var elapsedSeconds: Double {
    let (seconds, attoseconds) = (ContinuousClock.now - start).components
    return Double(seconds) + Double(attoseconds) * 1e-18
  }
}

/// Seconds of one rank, added up by phase, and the spans that they are made of.
public struct PhaseTimer: Sendable {
  /// The most spans of a round; where there would be more, neighbours are joined.
  public static let spanLimit = 1000
  /// Seconds in the order of `Phase.allCases`: what a rank contributes to `[Phase: Spread](gathered:)`.
  public private(set) var values = Array(repeating: 0.0, count: Phase.allCases.count)

  private var timeline = Timeline(limit: spanLimit)
  private let sinceStart = Stopwatch()

  public init() {}

  /// Seconds since the timer was made: the clock of the spans.
  public var clock: Double { sinceStart.elapsedSeconds }

  /// Runs `body` and adds its time to the phase, also when it throws.
  ///
  /// `body` cannot use the timer: phases do not nest, so that no second is counted twice.
  public mutating func measure<Result, Failure: Error>(
    _ phase: Phase, _ body: () throws(Failure) -> Result
  ) throws(Failure) -> Result {
    let start = clock
    defer {
      let seconds = clock - start
      add(seconds, to: phase)
      timeline.append(TraceSpan(phase: phase, start: start, seconds: seconds))
    }
    return try body()
  }

  /// Adds time that was measured otherwise.
  public mutating func add(_ seconds: Double, to phase: Phase) {
    values[Self.index[phase]!] += seconds
  }

  /// Since the last `reset`, in the order in which they began.
  public var spans: [TraceSpan] { timeline.spans }

  public subscript(phase: Phase) -> Double { values[Self.index[phase]!] }

  /// Starts afresh, as at the beginning of a round.
  public mutating func reset() {
    values = Array(repeating: 0, count: values.count)
    timeline = Timeline(limit: Self.spanLimit)
  }

  private static let index = Dictionary(
    uniqueKeysWithValues: Phase.allCases.enumerated().map { ($1, $0) })
}
