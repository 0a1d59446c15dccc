internal import Adapters
internal import Aggregation
internal import Foundation
internal import MPI

/// The updates of one rank's clients, packed for the gather: each client's shared floats, one client
/// after another in order of client id.
struct PackedUpdates {
  let floatsPerClient: Int
  private(set) var floats: [Float] = []
  private(set) var clientCount = 0

  init(layout: AdapterLayout, clientCapacity: Int) {
    floatsPerClient = layout.sharedCount
    floats.reserveCapacity(floatsPerClient * clientCapacity)
  }

  mutating func append(_ parameters: AdapterParameters) {
    precondition(parameters.layout.sharedCount == floatsPerClient, "an update of another layout")
    floats.append(contentsOf: parameters.shared)
    clientCount += 1
  }

  /// Bytes that the packed clients upload, as a federation counts them.
  var uploadedByteCount: Int { floats.count * MemoryLayout<Float>.stride }
}

/// The cohort's updates as they lie at the root, with their weights.
struct GatheredUpdates {
  let layout: AdapterLayout
  /// In order of client id, as the weights are.
  let cohort: [Int]
  let weights: [Double]
  /// All clients' shared floats, in the order of ranks.
  private let floats: [Float]
  /// Where each of the cohort's updates begins in `floats`.
  private let offsets: [Int]

  init(layout: AdapterLayout, cohort: [Int], weights: [Double], placement: Placement, floats: [Float]) {
    self.layout = layout
    self.cohort = cohort
    self.weights = weights
    self.floats = floats
    offsets = Self.offsets(cohort, placement, floatsPerClient: layout.sharedCount)
  }

  /// The gather puts one rank's clients after another's; the server works in order of client id.
  private static func offsets(_ cohort: [Int], _ placement: Placement, floatsPerClient: Int) -> [Int] {
    let counts = placement.counts(of: cohort)
    var next = counts.indices.map { rank in counts[..<rank].reduce(0, +) * floatsPerClient }
    return cohort.map { client in
      let rank = placement.rank(ofClient: client)
      defer { next[rank] += floatsPerClient }
      return next[rank]
    }
  }

  /// Lends the updates of one adapted layer.
  func withUpdates<Result>(of slot: LayerSlot, _ body: (LayerUpdates) throws -> Result) throws -> Result {
    try floats.withUnsafeBufferPointer { floats in
      let clients = offsets.map { offset in
        let update = floats.baseAddress! + offset
        return ClientFactors(a: slot.a(in: update), b: slot.b(in: update))
      }
      return try body(LayerUpdates(clients: clients, weights: weights))
    }
  }

  /// The weighted mean of a tensor that lies at `range` of every client's shared floats, summed in order
  /// of client id in double precision.
  func mean(of range: Range<Int>) -> [Float] {
    precondition(range.upperBound <= layout.sharedCount, "floats \(range) are not sent")
    return weightedMean(offsets.map { floats[$0 + range.lowerBound..<$0 + range.upperBound] }, weights)
  }
}

/// The weighted mean of several vectors, summed in their order in double precision.
func weightedMean(_ vectors: [ArraySlice<Float>], _ weights: [Double]) -> [Float] {
  var sum = [Double](repeating: 0, count: vectors.first?.count ?? 0)
  for (vector, weight) in zip(vectors, weights) {
    for (index, value) in vector.enumerated() { sum[index] += weight * Double(value) }
  }
  return sum.map { Float($0) }
}

extension Communicator {
  /// Gathers every rank's packed updates at the root, with `MPI_Gather` where all ranks bring as many
  /// clients and `MPI_Gatherv` elsewhere; nil off the root.
  func gather(_ updates: PackedUpdates, clientCounts: [Int], to root: Int) throws(MPIError) -> [Float]? {
    if Set(clientCounts).count == 1 { return try gather(updates.floats, to: root) }
    let layout = try RankLayout(counts: clientCounts.map { $0 * updates.floatsPerClient })
    return try gather(updates.floats, layout: layout, to: root)
  }
}
