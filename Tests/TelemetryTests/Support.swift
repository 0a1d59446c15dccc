import Telemetry

/// A full report of a round.
func report(_ round: Int = 1, personalised: Double = 0.75, global: Double? = 0.5) -> RoundReport {
  RoundReport(
    round: round, method: "florana", clients: [0, 3], trainLoss: 0.61,
    personalised: Metrics(accuracy: personalised, loss: 0.52, extras: ["matthews": 0.5, "f1": 0.8]),
    global: global.map { Metrics(accuracy: $0, loss: 0.57) }, rho: 0.11, rhoFedIT: 0.14, rhoOptimum: 0.1,
    closedGap: 0.75, bytes: ByteCounts(logicalUp: 4000, logicalDown: 3000, gathered: 2000, broadcast: 1000),
    seconds: [
      .train: Spread(minimum: 1, mean: 1.5, maximum: 2),
      .gather: Spread(minimum: 0.25, mean: 0.5, maximum: 1),
    ])
}
