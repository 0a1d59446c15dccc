internal import Adapters
internal import Configuration
internal import MPI

/// The chosen floats of one rank's clients, packed for a gather: one client after another in order of
/// client id, each rounded to what the wire carries.
struct PackedUpdates {
  let wire: WireFormat
  private(set) var floats: [Float] = []

  init(_ wire: WireFormat) { self.wire = wire }

  mutating func reserve(_ floatCount: Int) { floats.reserveCapacity(floatCount) }

  /// - Throws: where a float does not fit; its position is that in the parameters.
  mutating func append(_ parameters: AdapterParameters, _ chosen: FloatRanges) throws(WireRangeError) {
    for range in chosen.ranges {
      let start = floats.count
      floats += parameters.values[range]
      do { try wire.round(&floats, from: start) } catch {
        throw WireRangeError(wire: wire, index: range.lowerBound + error.index, value: error.value)
      }
    }
  }

  var byteCount: Int { floats.count * wire.byteCount }
}

/// One rank's clients' chosen floats of every parcel.
struct PackedParcels {
  private(set) var updates: [PackedUpdates]
  private let parcels: [Parcel]

  init(_ parcels: [Parcel], _ wire: WireFormat) {
    self.parcels = parcels
    updates = parcels.map { _ in PackedUpdates(wire) }
  }

  /// Makes room for updates of these plans and layouts, so that none is moved when the next comes.
  mutating func reserve(_ updates: [(chosen: FloatRanges, layout: AdapterLayout)]) {
    for (index, parcel) in parcels.enumerated() {
      self.updates[index].reserve(
        updates.reduce(0) { $0 + $1.chosen.within(parcel.range(in: $1.layout)).count })
    }
  }

  /// - Throws: as `PackedUpdates` does.
  mutating func append(_ parameters: AdapterParameters, _ chosen: FloatRanges) throws(WireRangeError) {
    for (index, parcel) in parcels.enumerated() {
      try updates[index].append(parameters, chosen.within(parcel.range(in: parameters.layout)))
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
    try gather(updates.floats, order, to: root, as: updates.wire.element)
  }

  private func gather<Element: WireElement>(
    _ floats: [Float], _ order: GatherOrder, to root: Int, as type: Element.Type
  ) throws(MPIError) -> [Float]? {
    let packed = Element.packed(floats)
    let whole =
      Set(order.rankCounts).count == 1
      ? try gather(packed, to: root)
      : try gather(packed, layout: RankLayout(counts: order.rankCounts), to: root)
    return whole.map(Element.unpacked)
  }

  /// Copies the server's message over that of every other rank.
  func broadcast(_ message: inout ServerMessage, from server: Int) throws(MPIError) {
    try broadcast(&message.floats, from: server, as: message.wire.element)
  }

  private func broadcast<Element: WireElement>(
    _ floats: inout [Float], from root: Int, as type: Element.Type
  ) throws(MPIError) {
    var packed = Element.packed(floats)
    // Where nothing is converted, the floats are not copied either.
    floats = []
    try broadcast(&packed, from: root)
    floats = Element.unpacked(packed)
  }
}

extension Communicator {
  /// Each rank's parts of all parcels against the updates of the one that it serves, whose `order` is given.
  func exchange(_ packed: PackedParcels, _ order: GatherOrder) throws(MPIError) -> [Float] {
    try exchange(packed.updates, order, as: packed.updates[0].wire.element)
  }

  private func exchange<Element: WireElement>(
    _ updates: [PackedUpdates], _ order: GatherOrder, as type: Element.Type
  ) throws(MPIError) -> [Float] {
    Element.unpacked(
      try alltoall(
        Element.packed(updates.flatMap(\.floats)), RankLayout(counts: updates.map(\.floats.count)),
        receiving: RankLayout(counts: order.rankCounts)))
  }

  /// Every rank's message, one a parcel, from the rank that serves it to all others.
  func allgather(_ messages: inout [ServerMessage]) throws(MPIError) {
    let layout = RankLayout(counts: messages.map(\.floats.count))
    let whole = try allgather(messages[rank].floats, layout, as: messages[rank].wire.element)
    for index in messages.indices { messages[index].floats = Array(whole[layout.range(of: index)]) }
  }

  private func allgather<Element: WireElement>(
    _ floats: [Float], _ layout: RankLayout, as type: Element.Type
  ) throws(MPIError) -> [Float] {
    Element.unpacked(try allgather(Element.packed(floats), layout: layout))
  }
}
