internal import Adapters
internal import Aggregation
internal import Configuration
internal import MPI
internal import Telemetry

extension Federation {
  /// Collects the counts and times of all ranks and makes the round's reports; nil off the root.
  func report(
    _ round: Int, _ cohort: [Int], _ exchanged: Exchanged, _ outcomes: [ClientOutcome]?,
    _ evaluation: (global: Metrics?, oracle: Metrics?)?, _ bytes: CountedBytes,
    _ world: borrowing Communicator
  ) throws -> RoundOutcome? {
    let figures = try gather(exchanged.served, world)
    let counts = try world.gather(bytes.wire, to: Self.root)
    let seconds = try world.gather(timer.values, to: Self.root)
    let spans = try gatherSpans(world)
    guard let figures, let outcomes, let counts, let seconds, let spans else { return nil }
    let audit = try ByteAudit(
      wires: counts, rule: rule, layout: experiment.layout, cohort: cohort,
      cohortLayouts: layouts(of: cohort), placement: placement, parcels: parcels, round: round,
      wire: experiment.configuration.server.wire)
    let total = figures.isEmpty ? nil : LayerDiagnostics.total(figures.map(\.diagnostics))
    let report = RoundReport(
      round: round, method: rule.name, clients: cohort, trainLoss: outcomes.loss(try weights(of: cohort)),
      personalised: outcomes.personalised(), global: evaluation?.global, oracle: evaluation?.oracle,
      rho: total?.rho, rhoFedIT: total?.rhoFedIT, rhoOptimum: total?.rhoOptimum, closedGap: total?.closedGap,
      bytes: audit.counted, seconds: [Phase: Spread](gathered: seconds))
    return RoundOutcome(
      report: report, layers: zip(experiment.layout.layers, figures).map { $1.report(round: round, $0) },
      spans: spans)
  }

  /// Every rank's spans on the root's clock; nil off the root.
  private func gatherSpans(_ world: borrowing Communicator) throws -> [[TraceSpan]]? {
    let own = timer.spans.map { $0.shifted(by: clockOffset) }
    return try world.gatherArrays(own.wire, to: Self.root)?.map { [TraceSpan](wire: $0) }
  }

  /// Every layer's figures in the order of the layout, from the servers of all parcels; nil off the root.
  private func gather(
    _ served: [Range<Int>: Served], _ world: borrowing Communicator
  ) throws -> [EstimateFigures]? {
    let own = served.sorted { $0.key.lowerBound < $1.key.lowerBound }.flatMap { $0.value.figures }
    guard let gathered = try world.gatherArrays(own.flatMap(\.wire), to: Self.root) else { return nil }
    // Servers of higher rank have later layers.
    return Array(gathered.joined()).chunked(by: EstimateFigures.wireCount).map { EstimateFigures(wire: $0) }
  }
}
