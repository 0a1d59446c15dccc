internal import Adapters
internal import Aggregation
internal import Configuration

extension Experiment {
  /// The bytes of a full first round's messages on `rankCount` ranks: the largest part that a rank brings to
  /// the gather, and the broadcast.
  public func messageByteCounts(rankCount: Int) throws -> (gather: Int, broadcast: Int) {
    let rule = try AggregationRules.rule(named: configuration.method.name.rawValue)
    let placement = Placement(
      kind: Placement.Kind(configuration.clients.placement), clientCount: configuration.clients.count,
      rankCount: rankCount)
    let sampler = CohortSampler(
      clientCount: configuration.clients.count, participation: configuration.clients.participation,
      seed: configuration.seed)
    let cohort = sampler.cohort(round: 1)
    let plans = RoundPlans(rule.wirePlan(round: 1), family)
    let whole = Parcel.parcels(.root, layerCount: layout.layers.count, rankCount: rankCount)[0]
    let message = ServerMessage(
      whole, plans.global, rule: rule, layout: layout, cohort: cohort.map { family[client: $0].layout },
      round: 1)
    let gathered = GatherOrder(cohort, placement) { plans[client: $0].uploaded }
    let floatBytes = MemoryLayout<Float>.stride
    return ((gathered.rankCounts.max() ?? 0) * floatBytes, message.floats.count * floatBytes)
  }
}
