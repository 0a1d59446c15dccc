internal import Adapters
internal import Aggregation
internal import LinearAlgebra

/// The cohort's adapters, or a parcel of them, as their server knows them, with their weights: what the
/// clients sent, over what is the same for all.
struct GatheredUpdates {
  let parcel: Parcel
  /// The global adapter's.
  let layout: AdapterLayout
  /// In order of client id, as the weights and the layouts are.
  let cohort: [Int]
  let weights: [Double]
  let clientLayouts: [AdapterLayout]
  /// The index in `floats` of what would be the first float of each client's adapter.
  private let starts: [Int]
  /// One parcel after another, in order of client id.
  private var floats: [Float]

  /// Every client has its part of `common` until what it sent is placed.
  init(
    _ parcel: Parcel, cohort: [Int], weights: [Double], layouts: [AdapterLayout], common: AdapterParameters
  ) {
    self.parcel = parcel
    layout = common.layout
    self.cohort = cohort
    self.weights = weights
    clientLayouts = layouts
    floats = []
    floats.reserveCapacity(layouts.reduce(0) { $0 + parcel.range(in: $1).count })
    var starts: [Int] = []
    for layout in layouts {
      let range = parcel.range(in: layout)
      starts.append(floats.count - range.lowerBound)
      floats += common.leadingPart(layout).values[range]
    }
    self.starts = starts
  }

  /// Puts gathered floats in their places.
  mutating func place(_ message: [Float], _ order: GatherOrder) {
    precondition(message.count == order.count, "\(message.count) floats gathered for \(order.count)")
    for (client, chosen) in order.chosen.enumerated() {
      var next = order.offsets[client]
      for range in chosen.ranges {
        let target = starts[client] + range.lowerBound
        floats.replaceSubrange(target..<target + range.count, with: message[next..<next + range.count])
        next += range.count
      }
    }
  }

  /// Lends the updates of one adapted layer under the global adapter's scaling `s`: a client's `B` takes the
  /// ratio of its own scaling to `s` where they differ.
  func withUpdates<Result>(of slot: LayerSlot, _ body: (LayerUpdates) throws -> Result) throws -> Result {
    try floats.withUnsafeBufferPointer { floats in
      try withScaledB(of: slot, floats.baseAddress!) { scaled in
        let clients = cohort.indices.map { client in
          let (own, update) = (clientLayouts[client].layers[slot.index], floats.baseAddress! + starts[client])
          return ClientFactors(
            a: own.a(in: update), b: scaled[client] ?? own.b(in: update), core: own.core(in: update))
        }
        return try body(LayerUpdates(clients: clients, weights: weights))
      }
    }
  }

  /// Lends the factors B of the clients whose scaling is not the global adapter's, under the latter.
  private func withScaledB<Result>(
    of slot: LayerSlot, _ floats: UnsafePointer<Float>, _ body: ([Int: MatrixView<Float>]) throws -> Result
  ) throws -> Result {
    let differing = cohort.indices.filter {
      clientLayouts[$0].layers[slot.index].layer.scaling != slot.layer.scaling
    }
    var scaled: [Float] = []
    for client in differing {
      let own = clientLayouts[client].layers[slot.index]
      let ratio = own.layer.scaling / slot.layer.scaling
      let b = UnsafeBufferPointer(start: floats + starts[client] + own.b.offset, count: own.b.count)
      scaled += b.lazy.map { ratio * $0 }
    }
    return try scaled.withUnsafeBufferPointer { scaled in
      var next = scaled.baseAddress
      var views: [Int: MatrixView<Float>] = [:]
      for client in differing {
        let own = clientLayouts[client].layers[slot.index]
        views[client] = MatrixView(next!, rows: own.layer.outputs, columns: own.layer.adapterRank)
        next! += own.b.count
      }
      return try body(views)
    }
  }

  /// The weighted mean of every client's head, summed in order of client id in double precision.
  func meanHead() -> [Float] {
    var sum = [Double](repeating: 0, count: layout.count - layout.factorCount)
    for (client, weight) in weights.enumerated() {
      let start = starts[client] + clientLayouts[client].factorCount
      for index in sum.indices { sum[index] += weight * Double(floats[start + index]) }
    }
    return sum.map { Float($0) }
  }
}
