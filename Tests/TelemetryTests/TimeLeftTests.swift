import Telemetry
import Testing

@Suite struct TimeLeftTests {
  /// Rounds of 10 s, every second one of 30 s with its evaluation.
  @Test func evaluatedRoundsAreReckonedApart() {
    var lines: [String] = []
    var reporter = ProgressReporter(rounds: 6, evaluateEvery: 2, isTerminal: false) { lines.append($0) }
    var elapsed = 0.0
    for round in 1...6 {
      elapsed += round % 2 == 0 ? 30 : 10
      let metrics = round % 2 == 0 ? Metrics(accuracy: 0.5, loss: 1) : nil
      reporter.report(
        RoundReport(round: round, method: "fedit", clients: [0], trainLoss: 1, global: metrics),
        elapsedSeconds: elapsed)
    }
    #expect(lines[0].contains("50.0 s left"), "nothing is known of evaluations yet: \(lines[0])")
    #expect(lines[1].contains("1 min 20 s left") && lines[2].contains("1 min 10 s left"))
    #expect(lines[4].contains("30.0 s left") && !lines[5].contains("left"))
  }
}
