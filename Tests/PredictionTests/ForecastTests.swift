import Prediction
import Telemetry
import Testing

@Suite struct ForecastTests {
  private let hosts = [
    EnvironmentReport.Host(name: "a", ranks: 2), EnvironmentReport.Host(name: "b", ranks: 2),
  ]

  private func round(_ number: Int, train: Double, evaluate: Double = 0) -> RoundReport {
    func spread(_ value: Double) -> Spread { Spread(minimum: value / 2, mean: value * 0.75, maximum: value) }
    return RoundReport(
      round: number, method: "fedit", clients: Array(0..<6), trainLoss: 1,
      bytes: ByteCounts(logicalUp: 600, logicalDown: 600, gathered: 360, broadcast: 300),
      seconds: [
        .train: spread(train), .pack: spread(0.1), .wait: spread(9), .gather: spread(1), .estimate: spread(2),
        .broadcast: spread(3), .apply: spread(0.5), .evaluate: spread(evaluate),
      ])
  }

  private func profile() throws -> RunProfile {
    try RunProfile(
      rounds: [round(1, train: 9), round(2, train: 4, evaluate: 24), round(3, train: 5)], hosts: hosts,
      origin: "run")
  }

  @Test func aRunsProfile() throws {
    let profile = try profile()
    #expect(profile.clientCount == 6 && profile.roundCount == 3 && profile.method == "fedit")
    #expect(profile.spread == RankSpread(rankCount: 4, ranksPerHost: 2))
    #expect(profile.seconds[.train] == 5 && profile.seconds[.evaluate] == 8 && profile.seconds[.gather] == 1)
    // Four ranks estimated 1.5 s in the mean: what one server alone would have to.
    #expect(profile.seconds[.estimate] == 6)
    #expect(profile.gatherBytes == 120 && profile.broadcastBytes == 100)
  }

  @Test func computeScalesWithTheClientsOfARank() throws {
    // 6 clients on 4 ranks: two on the fullest. 12 on 2 ranks: six, three times as many.
    let more = try profile().computeSeconds(clients: 12, ranks: 2, estimateSeconds: 8)
    #expect(more == [.train: 15, .pack: 0.1 * 3, .estimate: 8, .apply: 0.5, .evaluate: 24])
    // One client a rank on twelve: half the training; at least a third of the evaluation.
    let wide = try profile().computeSeconds(clients: 12, ranks: 12, estimateSeconds: 2)
    #expect(wide[.train] == 2.5 && wide[.evaluate] == 4)
    let alone = try profile().computeSecondsOfLoneClients(estimateSeconds: 2)
    #expect(alone == [.train: 2.5, .pack: 0.05, .estimate: 2, .apply: 0.5])
  }

  @Test func aRoundOnACluster() throws {
    let model = ClusterModel(
      .formulas(HockneyLine(alpha: 0, beta: 1e-3)), spread: RankSpread(rankCount: 4, ranksPerHost: 2))
    let volume = MethodVolume(
      method: "fedit", up: [Int](repeating: 100, count: 6), down: [Int](repeating: 200, count: 6),
      broadcast: 200)
    let forecast = Forecast(
      volume, parts: [200, 200, 100, 100], on: model, compute: [.train: 5, .evaluate: 1])
    // Two ranks of 100 bytes come in, and 200 bytes go out once, at 1 ms a byte.
    #expect(abs(forecast.gatherSeconds - 0.2) < 1e-12 && abs(forecast.broadcastSeconds - 0.2) < 1e-12)
    #expect(abs(try #require(forecast.roundSeconds) - 6.4) < 1e-12)
    #expect(forecast.upBytesPerClient == 100 && forecast.downBytesPerClient == 200)
    let unknown = Forecast(volume, parts: [200, 200, 100, 100], on: model, compute: nil)
    #expect(unknown.roundSeconds == nil && unknown.transferSeconds == forecast.transferSeconds)
  }

  @Test func roundsThatDifferAreAveraged() {
    let model = ClusterModel(
      .formulas(HockneyLine(alpha: 0, beta: 1e-3)), spread: RankSpread(rankCount: 2, ranksPerHost: 1))
    let rounds = [100, 300].map { bytes in
      Forecast(
        MethodVolume(method: "rolora", up: [bytes, bytes], down: [bytes, bytes], broadcast: bytes),
        parts: [bytes, bytes], on: model, compute: nil)
    }
    let mean = Forecast(meanOf: rounds)
    #expect(mean.upBytesPerClient == 200 && abs(mean.gatherSeconds - 0.2) < 1e-12)
  }

  @Test func runsWithoutFiguresAreRefused() throws {
    func problem(_ rounds: [RoundReport], _ hosts: [EnvironmentReport.Host]) -> String? {
      do throws(PredictionError) {
        _ = try RunProfile(rounds: rounds, hosts: hosts, origin: "runs/x")
        return nil
      } catch { return error.description }
    }
    #expect(problem([], hosts) == "runs/x: expected at least one round, found none")
    #expect(problem([round(1, train: 1)], [])?.contains("hosts and ranks") == true)
    var empty = round(1, train: 1)
    empty.clients = []
    #expect(problem([empty], hosts)?.contains("expected clients in every round") == true)
  }
}
