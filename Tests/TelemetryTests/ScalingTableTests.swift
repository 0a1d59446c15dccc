import Telemetry
import Testing

@Suite struct ScalingTableTests {
  private func row(_ clients: Int, ranks: Int, seconds: [Double], tokens: Int) -> ScalingTable.Row {
    let rounds = seconds.map { seconds in
      RoundReport(
        round: 2, method: "florana", clients: Array(0..<clients / 2), trainLoss: 1,
        bytes: ByteCounts(logicalUp: 100 * clients, logicalDown: 50, gathered: 30, broadcast: 7),
        seconds: [.train: Spread(minimum: seconds / 4, mean: seconds / 2, maximum: seconds)])
    }
    return ScalingTable.Row(
      mode: "strong", ranks: ranks, hosts: 1, clients: clients, stepsPerClient: 6, rounds: rounds,
      wallSeconds: seconds, steps: 60, tokens: tokens, peakByteCount: 3 << 20)
  }

  @Test func aLineARowWithItsFigures() throws {
    var table = ScalingTable()
    table.append(row(4, ranks: 2, seconds: [1, 3], tokens: 400))
    table.append(row(8, ranks: 2, seconds: [2, 3], tokens: 400))
    table.append(row(8, ranks: 4, seconds: [0.5, 1.5], tokens: 400))
    let lines = table.csv.split(separator: "\n").map {
      $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    }
    #expect(lines.count == 4 && Set(lines.map(\.count)).count == 1)
    func value(_ name: String, _ row: Int) throws -> String {
      lines[row][try #require(lines[0].firstIndex(of: name), "\(name)")]
    }
    #expect(
      try value("mode", 1) == "strong" && value("clientsPerRank", 2) == "4.0" && value("cohort", 2) == "4")
    #expect(try value("secondsMinimum", 1) == "1.0" && value("secondsMean", 1) == "2.0")
    #expect(try value("secondsMaximum", 1) == "3.0" && value("rounds", 1) == "2")
    #expect(try value("trainSecondsMinimum", 1) == "0.5" && value("trainSecondsMaximum", 1) == "2.0")
    #expect(try value("gatherSecondsMean", 1) == "0.0")
    #expect(try value("logicalUp", 2) == "800" && value("broadcast", 2) == "7")
    #expect(try value("clientsPerSecond", 1) == "1.0" && value("stepsPerSecond", 1) == "15.0")
    #expect(try value("tokensPerSecond", 1) == "100.0" && value("peakBytes", 1) == "\(3 << 20)")
    #expect(try (1...3).map { try value("speedUp", $0) } == ["1.0", "0.8", "2.0"])
    #expect(try (1...3).map { try value("efficiency", $0) } == ["1.0", "0.8", "1.0"])
    let text = table.text.split(separator: "\n")
    #expect(text.count == 4 && Set(text.map(\.count)).count == 1, "\(table.text)")
  }
}
