import Adapters
import Aggregation
import LinearAlgebra
import MPI
import Telemetry
import Testing

@testable import Simulation

@Suite struct GatheredUpdatesTests {
  private let layout = AdapterLayout(
    layers: [AdaptedLayer(name: "q", outputs: 3, inputs: 2, adapterRank: 1, scaling: 2)],
    head: [HeadTensor(name: "w", shape: [2])], headMode: .shared)

  /// Every float of client c's update is c.
  private func floats(_ cohort: [Int], _ placement: Placement) -> [Float] {
    (0..<placement.rankCount).flatMap { rank -> [Float] in
      var packed = PackedUpdates(layout: layout, clientCapacity: 1)
      for client in placement.clients(of: cohort, onRank: rank) {
        packed.append(
          AdapterParameters(layout: layout, values: [Float](repeating: Float(client), count: layout.count)))
      }
      return packed.floats
    }
  }

  @Test(arguments: Placement.Kind.allCases, [1, 2, 3, 5])
  func updatesAreFoundInOrderOfClientId(kind: Placement.Kind, rankCount: Int) throws {
    let placement = Placement(kind: kind, clientCount: 9, rankCount: rankCount)
    let cohort = [1, 4, 5, 8]
    let gathered = GatheredUpdates(
      layout: layout, cohort: cohort, weights: [0.1, 0.2, 0.3, 0.4], placement: placement,
      floats: floats(cohort, placement))
    try gathered.withUpdates(of: layout.layers[0]) { updates in
      #expect(updates.clients.map { $0.a[0, 0] } == [1, 4, 5, 8])
      #expect(updates.clients.map { $0.b[2, 0] } == [1, 4, 5, 8])
    }
    let mean = gathered.mean(of: layout.factorCount..<layout.count)
    #expect(mean == [Float](repeating: Float(0.1 * 1.0 + 0.2 * 4 + 0.3 * 5 + 0.4 * 8), count: 2))
  }

  @Test func anOracleIsTheExactIdealUpdate() throws {
    let placement = Placement(kind: .block, clientCount: 2, rankCount: 1)
    let gathered = GatheredUpdates(
      layout: layout, cohort: [0, 1], weights: [0.25, 0.75], placement: placement,
      floats: [1, 2, 3, 4, 5, 0, 0] + [-1, 1, 2, 0, 1, 0, 0])
    let oracle = try Server.oracle(gathered)
    let slot = oracle.layout.layers[0]
    let ideal = oracle.values.withUnsafeBufferPointer {
      product(slot.b(in: $0.baseAddress!), .asStored, slot.a(in: $0.baseAddress!))
    }
    // W* = 0.25 [3; 4; 5] [1 2] + 0.75 [2; 0; 1] [-1 1]
    let expected: [Float] = [-0.75, 3, 1, 2, 0.5, 3.25]
    #expect(zip(ideal.elements, expected).allSatisfy { abs($0 - $1) < 1e-6 })
  }

  private func wires(_ change: (inout CountedBytes) -> Void = { _ in }) -> [Int64] {
    var root = CountedBytes(packed: 28, applied: 28)
    root.gather.receivedByteCount = 56
    root.broadcast.sentByteCount = 28
    var other = CountedBytes(packed: 56, applied: 56)
    other.gather.sentByteCount = 56
    other.broadcast.receivedByteCount = 28
    change(&other)
    return root.wire + other.wire
  }

  /// Three clients on two ranks; an update has 7 floats.
  private func audit(_ wires: [Int64]) throws -> ByteAudit {
    try ByteAudit(
      wires: wires, rule: FedIT(), layout: layout, cohort: [0, 2, 3],
      placement: Placement(kind: .block, clientCount: 4, rankCount: 2), round: 1)
  }

  @Test func bytesThatAgreeAreReported() throws {
    #expect(
      try audit(wires()).counted == ByteCounts(logicalUp: 84, logicalDown: 84, gathered: 56, broadcast: 28))
  }

  @Test func bytesThatDisagreeEndTheRun() {
    #expect(throws: SimulationError.self) { try audit(wires { $0.packed += 4 }) }
    #expect(throws: SimulationError.self) { try audit(wires { $0.applied -= 4 }) }
    #expect(throws: SimulationError.self) { try audit(wires { $0.gather.sentByteCount += 1 }) }
    #expect(throws: SimulationError.self) { try audit(wires { $0.broadcast.receivedByteCount -= 28 }) }
  }
}
