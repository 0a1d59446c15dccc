internal import Adapters
internal import Aggregation
internal import MPI
internal import Telemetry

extension Federation {
  /// Collects the counts and times of all ranks and makes the round's reports; nil off the root.
  func report(
    _ round: Int, _ cohort: [Int], _ estimate: Estimate?, _ outcomes: [ClientOutcome]?,
    _ evaluation: (global: Metrics?, oracle: Metrics?)?, _ bytes: CountedBytes,
    _ world: borrowing Communicator
  ) throws -> (round: RoundReport, layers: [LayerReport])? {
    let diagnostics = try estimate.map { estimate in
      try timer.measure(.evaluate) { try Server.diagnose(estimate) }
    }
    let counts = try world.gather(bytes.wire, to: Self.root)
    let seconds = try world.gather(timer.values, to: Self.root)
    guard let estimate, let diagnostics, let outcomes, let counts, let seconds else { return nil }
    let audit = try ByteAudit(
      wires: counts, rule: rule, layout: experiment.layout, cohort: cohort,
      cohortLayouts: layouts(of: cohort), placement: placement, round: round
    )
    let total = LayerDiagnostics.total(diagnostics)
    let report = RoundReport(
      round: round, method: rule.name, clients: cohort, trainLoss: outcomes.loss(estimate.updates.weights),
      personalised: outcomes.personalised(), global: evaluation?.global, oracle: evaluation?.oracle,
      rho: total.rho, rhoFedIT: total.rhoFedIT, rhoOptimum: total.rhoOptimum, closedGap: total.closedGap,
      bytes: audit.counted, seconds: [Phase: Spread](gathered: seconds))
    let layers = zip(experiment.layout.layers, zip(estimate.layers, diagnostics)).map { slot, result in
      LayerReport(round: round, slot: slot, result.0, result.1)
    }
    return (report, layers)
  }
}
