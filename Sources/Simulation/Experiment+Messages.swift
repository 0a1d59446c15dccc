internal import Adapters
internal import Aggregation
internal import Configuration

extension Experiment {
  var sampler: CohortSampler {
    CohortSampler(
      clientCount: configuration.clients.count, participation: configuration.clients.participation,
      seed: configuration.seed)
  }

  /// The bytes of a full first round's messages on `rankCount` ranks: the largest part that a rank brings to
  /// the gather, and the broadcast.
  public func messageByteCounts(rankCount: Int) -> (gather: Int, broadcast: Int) {
    let cohort = sampler.cohort(round: 1)
    let placement = RoundPlacements(self, rankCount: rankCount)
      .placement(of: cohort, isEvaluated: false)
    let volume = MessageVolume(
      rule, layout, cohort: cohort.map { family[client: $0].layout }, round: 1)
    var gathered = [Int](repeating: 0, count: rankCount)
    for (client, floats) in zip(cohort, volume.clients) {
      gathered[placement.rank(ofClient: client)] += floats.up
    }
    let floatBytes = configuration.server.wire.byteCount
    return ((gathered.max() ?? 0) * floatBytes, volume.broadcastFloatCount * floatBytes)
  }
}
