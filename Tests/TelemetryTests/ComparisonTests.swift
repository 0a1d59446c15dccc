import Telemetry
import Testing

@Suite struct ComparisonTests {
  @Test func rankCorrelationOfKnownPairs() throws {
    #expect(try #require(rankCorrelation([(1, 10), (2, 20), (3, 30)])) == 1)
    #expect(try #require(rankCorrelation([(1, 9), (2, 4), (3, 1)])) == -1)
    // Ties share their mean rank: x ranks 1, 2.5, 2.5, 4; y ranks 1, 3, 2, 4.
    let tied = try #require(rankCorrelation([(1, 1), (2, 3), (2, 2), (5, 4)]))
    #expect(abs(tied - 4.5 / (4.5 * 5).squareRoot()) < 1e-12)
    #expect(rankCorrelation([(1, 1), (2, 2)]) == nil && rankCorrelation([(1, 1), (1, 2), (1, 3)]) == nil)
  }

  private func run(_ method: String, _ seed: UInt64, accuracy: Double, rho: Double) -> Comparison.Run {
    let bytes = ByteCounts(logicalUp: 1_500_000, logicalDown: 500_000, gathered: 10, broadcast: 20)
    let rounds = (1...2).map { round in
      RoundReport(
        round: round, method: method, clients: [0], trainLoss: 1,
        personalised: Metrics(accuracy: accuracy + 0.05, loss: 1),
        global: Metrics(accuracy: accuracy, loss: 1),
        oracle: Metrics(accuracy: accuracy + 0.01, loss: 1), rho: rho / Double(round), rhoFedIT: 0.5,
        rhoOptimum: 0.1,
        bytes: bytes, seconds: [.train: Spread(minimum: 1, mean: 2, maximum: 3)])
    }
    return Comparison.Run(method: method, seed: seed, rounds: rounds)
  }

  @Test func aLineARunAndALineAMethod() {
    let comparison = Comparison([
      run("fedit", 1, accuracy: 0.70, rho: 0.4), run("florana", 1, accuracy: 0.80, rho: 0.2),
      run("fedit", 2, accuracy: 0.74, rho: 0.4), run("florana", 2, accuracy: 0.80, rho: 0.2),
    ])
    let csv = comparison.csv.split(separator: "\n")
    #expect(
      csv.count == 5 && csv[0].hasPrefix("method,seed,globalAccuracy,") && csv[1].hasPrefix("fedit,1,0.7,"))
    #expect(csv.allSatisfy { $0.split(separator: ",", omittingEmptySubsequences: false).count == 21 })
    let lines = comparison.text.split(separator: "\n")
    #expect(lines.count == 3 && Set(lines.map(\.count)).count == 1, "\(comparison.text)")
    #expect(lines[1].contains("72.00 ± 2.83") && lines[2].contains("80.00 ± 0.00"))
    #expect(lines[1].contains("3.00 ± 0.00"), "bytes of two rounds")
    #expect(comparison.correlations.contains("8 rounds"))
  }
}
