internal import MPI
internal import Telemetry

/// What a client reports of its round besides its factors.
struct ClientOutcome: Sendable, Equatable {
  /// Mean loss of the local steps.
  var loss: Double
  /// The client's own model on its own held-out rows; nil where that was not evaluated.
  var personalised: Tally?

  func wire(_ kind: Tally.Kind) -> [Double] { [loss] + (personalised ?? Tally(kind)).numbers }

  init(loss: Double, personalised: Tally?) {
    self.loss = loss
    self.personalised = personalised
  }

  init(wire: ArraySlice<Double>, _ kind: Tally.Kind) {
    loss = wire.first!
    let tally = Tally(kind, numbers: wire.dropFirst())
    personalised = tally.rowCount > 0 ? tally : nil
  }
}

extension [ClientOutcome] {
  /// The clients' losses with their weights.
  func loss(_ weights: [Double]) -> Double { zip(self, weights).reduce(0) { $0 + $1.0.loss * $1.1 } }

  /// The plain mean over clients of each client's metrics: a small client counts as much as a large one.
  func personalised() -> Metrics? {
    let all = compactMap { $0.personalised?.metrics }
    guard !all.isEmpty else { return nil }
    func mean(_ value: (Metrics) -> Double) -> Double { all.reduce(0) { $0 + value($1) } / Double(all.count) }
    return Metrics(accuracy: mean(\.accuracy), loss: mean(\.loss))
  }
}

extension Communicator {
  /// The outcomes of all clients of a cohort in its order; nil off the root.
  func gather(
    _ outcomes: [ClientOutcome], of cohort: [Int], placement: Placement, _ kind: Tally.Kind, to root: Int
  ) throws(MPIError) -> [ClientOutcome]? {
    let wires = outcomes.flatMap { $0.wire(kind) }
    guard let gathered = try gatherArrays(wires, to: root) else { return nil }
    let count = 1 + kind.numberCount
    var byRank = gathered.map { $0.chunked(by: count)[...] }
    return cohort.map { client in
      ClientOutcome(wire: byRank[placement.rank(ofClient: client)].removeFirst(), kind)
    }
  }
}
