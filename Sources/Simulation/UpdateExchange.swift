internal import Adapters
internal import Aggregation
internal import MPI

/// The chosen floats of one rank's clients, packed for a gather: one client after another in order of
/// client id.
struct PackedUpdates {
  let chosen: FloatRanges
  private(set) var floats: [Float] = []
  private(set) var clientCount = 0

  init(_ chosen: FloatRanges, clientCapacity: Int) {
    self.chosen = chosen
    floats.reserveCapacity(chosen.count * clientCapacity)
  }

  mutating func append(_ parameters: AdapterParameters) {
    for range in chosen.ranges { floats += parameters.values[range] }
    clientCount += 1
  }

  var byteCount: Int { floats.count * MemoryLayout<Float>.stride }
}

/// The cohort's adapters as the root knows them, with their weights: what the clients sent, over what is
/// the same for all.
struct GatheredUpdates {
  let layout: AdapterLayout
  /// In order of client id, as the weights are.
  let cohort: [Int]
  let weights: [Double]
  /// Where each rank's clients lie in a gathered whole: the gather puts one rank's after another's, the
  /// server works in order of client id.
  private let positions: [Int]
  /// One whole adapter after another, in order of client id.
  private var floats: [Float]

  /// Every client has `common`'s values until those that it sent are placed.
  init(cohort: [Int], weights: [Double], placement: Placement, common: AdapterParameters) {
    layout = common.layout
    self.cohort = cohort
    self.weights = weights
    positions = Self.positions(cohort, placement)
    floats = []
    floats.reserveCapacity(layout.count * cohort.count)
    for _ in cohort { floats += common.values }
  }

  private static func positions(_ cohort: [Int], _ placement: Placement) -> [Int] {
    let counts = placement.counts(of: cohort)
    var next = counts.indices.map { rank in counts[..<rank].reduce(0, +) }
    return cohort.map { client in
      let rank = placement.rank(ofClient: client)
      defer { next[rank] += 1 }
      return next[rank]
    }
  }

  /// Puts gathered floats in their places: `message` has the chosen floats of every client.
  mutating func place(_ message: [Float], _ chosen: FloatRanges) {
    precondition(message.count == chosen.count * cohort.count, "\(message.count) floats gathered")
    for (client, position) in positions.enumerated() {
      var start = position * chosen.count
      for range in chosen.ranges {
        let target = client * layout.count + range.lowerBound
        floats.replaceSubrange(target..<target + range.count, with: message[start..<start + range.count])
        start += range.count
      }
    }
  }

  /// Lends the updates of one adapted layer.
  func withUpdates<Result>(of slot: LayerSlot, _ body: (LayerUpdates) throws -> Result) throws -> Result {
    try floats.withUnsafeBufferPointer { floats in
      let clients = cohort.indices.map { client in
        let update = floats.baseAddress! + client * layout.count
        return ClientFactors(a: slot.a(in: update), b: slot.b(in: update), core: slot.core(in: update))
      }
      return try body(LayerUpdates(clients: clients, weights: weights))
    }
  }

  /// The weighted mean of a range of every client's floats, summed in order of client id in double
  /// precision.
  func mean(of range: Range<Int>) -> [Float] {
    var sum = [Double](repeating: 0, count: range.count)
    for (client, weight) in weights.enumerated() {
      let start = client * layout.count + range.lowerBound
      for index in 0..<range.count { sum[index] += weight * Double(floats[start + index]) }
    }
    return sum.map { Float($0) }
  }
}

extension Communicator {
  /// Gathers every rank's packed updates at the root, with `MPI_Gather` where all ranks bring as many
  /// clients and `MPI_Gatherv` elsewhere; nil off the root.
  func gather(_ updates: PackedUpdates, clientCounts: [Int], to root: Int) throws(MPIError) -> [Float]? {
    if Set(clientCounts).count == 1 { return try gather(updates.floats, to: root) }
    let layout = try RankLayout(counts: clientCounts.map { $0 * updates.chosen.count })
    return try gather(updates.floats, layout: layout, to: root)
  }
}
