internal import Adapters
internal import MPI

/// The chosen floats of one rank's clients, packed for a gather: one client after another in order of
/// client id.
struct PackedUpdates {
  private(set) var floats: [Float] = []

  mutating func append(_ parameters: AdapterParameters, _ chosen: FloatRanges) {
    for range in chosen.ranges { floats += parameters.values[range] }
  }

  var byteCount: Int { floats.count * MemoryLayout<Float>.stride }
}

/// One rank's clients' chosen floats of every parcel.
struct PackedParcels {
  private(set) var updates: [PackedUpdates]
  private let parcels: [Parcel]

  init(_ parcels: [Parcel]) {
    self.parcels = parcels
    updates = parcels.map { _ in PackedUpdates() }
  }

  mutating func append(_ parameters: AdapterParameters, _ chosen: FloatRanges) {
    for (index, parcel) in parcels.enumerated() {
      updates[index].append(parameters, chosen.within(parcel.range(in: parameters.layout)))
    }
  }

  var byteCount: Int { updates.reduce(0) { $0 + $1.byteCount } }
}

/// Where every client's chosen floats lie in a gathered whole: the gather puts one rank's clients after
/// another's, the server works in order of client id.
struct GatherOrder {
  /// What each client sends; in order of client id, as the offsets are.
  let chosen: [FloatRanges]
  let offsets: [Int]
  /// Floats of every rank.
  let rankCounts: [Int]

  init(_ cohort: [Int], _ placement: Placement, chosen: (Int) -> FloatRanges) {
    self.chosen = cohort.map(chosen)
    var counts = [Int](repeating: 0, count: placement.rankCount)
    for (client, floats) in zip(cohort, self.chosen) {
      counts[placement.rank(ofClient: client)] += floats.count
    }
    var next = counts.indices.map { rank in counts[..<rank].reduce(0, +) }
    offsets = zip(cohort, self.chosen).map { client, floats in
      let rank = placement.rank(ofClient: client)
      defer { next[rank] += floats.count }
      return next[rank]
    }
    rankCounts = counts
  }

  /// Floats of the gathered whole.
  var count: Int { rankCounts.reduce(0, +) }
}

extension Communicator {
  /// Gathers every rank's packed updates at the root, with `MPI_Gather` where all ranks bring as many
  /// floats and `MPI_Gatherv` elsewhere; nil off the root.
  func gather(_ updates: PackedUpdates, _ order: GatherOrder, to root: Int) throws(MPIError) -> [Float]? {
    if Set(order.rankCounts).count == 1 { return try gather(updates.floats, to: root) }
    return try gather(updates.floats, layout: RankLayout(counts: order.rankCounts), to: root)
  }
}

extension Communicator {
  /// Each rank's parts of all parcels against the updates of the one that it serves, whose `order` is given.
  func exchange(_ packed: PackedParcels, _ order: GatherOrder) throws(MPIError) -> [Float] {
    try alltoall(
      packed.updates.flatMap(\.floats), RankLayout(counts: packed.updates.map(\.floats.count)),
      receiving: RankLayout(counts: order.rankCounts))
  }

  /// Every rank's message, one a parcel, from the rank that serves it to all others.
  func allgather(_ messages: inout [ServerMessage]) throws(MPIError) {
    let layout = RankLayout(counts: messages.map(\.floats.count))
    let whole = try allgather(messages[rank].floats, layout: layout)
    for index in messages.indices { messages[index].floats = Array(whole[layout.range(of: index)]) }
  }
}
