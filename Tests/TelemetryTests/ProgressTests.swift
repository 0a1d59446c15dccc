import Telemetry
import Testing

/// Collects what a reporter puts out.
private final class Output {
  var texts: [String] = []
}

@Suite struct ProgressReporterTests {
  private func texts(
    isTerminal: Bool, width: Int = 200, isQuiet: Bool = false, _ reports: [RoundReport]
  ) -> [String] {
    let output = Output()
    var reporter = ProgressReporter(rounds: 20, isTerminal: isTerminal, width: width, isQuiet: isQuiet) {
      output.texts.append($0)
    }
    for report in reports { reporter.report(report, elapsedSeconds: 5 * Double(report.round)) }
    reporter.finish()
    return output.texts
  }

  @Test func plainLinesOffATerminal() {
    #expect(
      texts(isTerminal: false, [report(1), report(20, global: nil)]) == [
        "round  1/20  loss 0.6100  personalised 75.0 %  global 50.0 %  gap 25.0  "
          + "ρ 0.1100 (optimum 0.1000, FedIT 0.1400)  1 min 35 s left\n",
        "round 20/20  loss 0.6100  personalised 75.0 %  ρ 0.1100 (optimum 0.1000, FedIT 0.1400)\n",
      ])
  }

  @Test func oneUpdatedLineOnATerminal() throws {
    let texts = texts(isTerminal: true, width: 40, [report(1), report(2)])
    #expect(texts.count == 3)
    #expect(texts[0] == "\rround  1/20  loss 0.6100  personalised \u{1B}[K")
    #expect(texts[1].hasPrefix("\rround  2/20"))
    #expect(texts[2] == "\n")
  }

  @Test func quietPutsOutNothing() {
    #expect(texts(isTerminal: true, isQuiet: true, [report(1)]).isEmpty)
    #expect(texts(isTerminal: false, isQuiet: true, [report(1)]).isEmpty)
  }

  @Test func aTerminalWithoutRoundsGetsNoLineEnd() {
    #expect(texts(isTerminal: true, []).isEmpty)
  }

  @Test func timeLeftCountsFromTheFirstRoundOfThisProcess() {
    let output = Output()
    var reporter = ProgressReporter(rounds: 20, isTerminal: false) { output.texts.append($0) }
    reporter.report(report(11), elapsedSeconds: 2)
    #expect(output.texts[0].hasSuffix("18.0 s left\n"))
  }

  @Test func figuresThatAreNotFiniteAreDashes() {
    var diverged = report(1)
    diverged.trainLoss = .nan
    diverged.rho = .nan
    let line = texts(isTerminal: false, [diverged])[0]
    #expect(line.contains("loss -  "))
    #expect(line.contains("ρ - (optimum"))
  }
}

@Suite struct ResultTableTests {
  @Test func columnsAreAligned() {
    var tiny = report(10, global: nil)
    tiny.rho = 1.25e-6
    tiny.bytes.logicalUp = 123_456_789
    let expected = """
      round  train loss  personalised %  global %    gap         ρ  ρ FedIT  ρ optimum  closed gap     kB up  kB down  seconds
          1      0.6100           75.00     50.00  25.00    0.1100   0.1400     0.1000       0.750       4.0      3.0     2.00
         10      0.6100           75.00         -      -  1.25e-06   0.1400     0.1000       0.750  123456.8      3.0     2.00

      """
    #expect(ResultTable.text([report(1), tiny]) == expected)
  }

  @Test func noRoundsLeaveTheHeader() {
    #expect(ResultTable.text([]).split(separator: "\n").count == 1)
  }
}

@Suite struct HumanFormatTests {
  @Test(
    arguments: [
      (0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (1540, "1.5 kB"), (999_949, "999.9 kB"),
      (999_950, "1.0 MB"),
      (90_868_376, "90.9 MB"), (4_500_000_000, "4.5 GB"), (12_345_600_000_000_000, "12345.6 TB"),
    ])
  func bytes(count: Int, expected: String) {
    #expect(formattedBytes(count) == expected)
  }

  @Test(
    arguments: [
      (0, "0.00 s"), (0.454, "0.45 s"), (9.996, "10.0 s"), (59.94, "59.9 s"), (59.96, "1 min 00 s"),
      (125, "2 min 05 s"), (3599.4, "59 min 59 s"), (3599.6, "1 h 00 min"), (3720, "1 h 02 min"),
      (360_000, "100 h 00 min"), (.infinity, "-"), (.nan, "-"), (-1, "-"),
    ])
  func durations(seconds: Double, expected: String) {
    #expect(formattedDuration(seconds: seconds) == expected)
  }
}
