/// Tells how a run goes on, round by round: one line that is updated on a terminal, plain lines elsewhere.
public struct ProgressReporter {
  private let rounds: Int
  private let evaluateEvery: Int
  private let isTerminal: Bool
  private let width: Int
  private let isQuiet: Bool
  private let output: (String) -> Void
  private var reportedCount = 0
  private var lastElapsed = 0.0
  /// Seconds of the rounds so far without and with an evaluation.
  private var plain: [Double] = []
  private var evaluated: [Double] = []

  /// - Parameters:
  ///   - rounds: of the whole run.
  ///   - evaluateEvery: rounds from one evaluation to the next; the last round is always evaluated.
  ///   - width: columns of the terminal; a line is cut to it.
  ///   - isQuiet: nothing is put out.
  ///   - output: takes the text as it is to be written, line ends included.
  public init(
    rounds: Int, evaluateEvery: Int = 1, isTerminal: Bool, width: Int = 80, isQuiet: Bool = false,
    output: @escaping (String) -> Void
  ) {
    self.rounds = rounds
    self.evaluateEvery = evaluateEvery
    self.isTerminal = isTerminal
    self.width = width
    self.isQuiet = isQuiet
    self.output = output
  }

  /// Tells about a round that is over; `elapsedSeconds` since this process began its first round.
  public mutating func report(_ report: RoundReport, elapsedSeconds: Double) {
    reportedCount += 1
    if report.global == nil {
      plain.append(elapsedSeconds - lastElapsed)
    } else {
      evaluated.append(elapsedSeconds - lastElapsed)
    }
    lastElapsed = elapsedSeconds
    guard !isQuiet else { return }
    let line = Self.line(report, of: rounds, secondsLeft: secondsLeft(after: report.round))
    // The last column stays free: a full line would wrap, and a carriage return not undo it.
    output(isTerminal ? "\r\(line.prefix(max(1, width - 1)))\u{1B}[K" : line + "\n")
  }

  /// Evaluated rounds cost more than others: each kind goes on at its own mean.
  private func secondsLeft(after round: Int) -> Double {
    func mean(_ seconds: [Double], else other: [Double]) -> Double {
      let known = seconds.isEmpty ? other : seconds
      return known.reduce(0, +) / Double(max(1, known.count))
    }
    guard round < rounds else { return 0 }
    let evaluations = (round + 1...rounds).count { $0 % evaluateEvery == 0 || $0 == rounds }
    return Double(evaluations) * mean(evaluated, else: plain)
      + Double(rounds - round - evaluations) * mean(plain, else: evaluated)
  }

  /// Ends the updated line, before anything else is written to the terminal.
  public mutating func finish() {
    if isTerminal && !isQuiet && reportedCount > 0 { output("\n") }
    reportedCount = 0
  }

  private static func line(_ report: RoundReport, of rounds: Int, secondsLeft: Double) -> String {
    let number = "\(report.round)"
    let padding = String(repeating: " ", count: max(0, "\(rounds)".count - number.count))
    let parts: [String?] = [
      "round \(padding)\(number)/\(rounds)",
      "loss \(fixed(report.trainLoss, 4))",
      report.personalised.map { "personalised \(percent($0.accuracy))" },
      report.global.map { "global \(percent($0.accuracy))" },
      report.gap.map { "gap \(fixed($0 * 100, 1))" },
      report.rho.map { "ρ \(significant($0))" + bounds(report) },
      report.round < rounds ? "\(formattedDuration(seconds: secondsLeft)) left" : nil,
    ]
    return parts.compactMap { $0 }.joined(separator: "  ")
  }

  private static func percent(_ share: Double) -> String { "\(fixed(share * 100, 1)) %" }

  /// ρ is never judged against 0: the two ends stand beside it.
  private static func bounds(_ report: RoundReport) -> String {
    guard report.rhoFedIT != nil || report.rhoOptimum != nil else { return "" }
    return " (optimum \(significant(report.rhoOptimum)), FedIT \(significant(report.rhoFedIT)))"
  }
}
