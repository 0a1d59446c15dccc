import Adapters
import Aggregation
import Configuration
import LinearAlgebra
import MPI
import Telemetry
import Testing

@testable import Simulation

@Suite struct GatheredUpdatesTests {
  private let layout = AdapterLayout(
    layers: [AdaptedLayer(name: "q", outputs: 3, inputs: 2, adapterRank: 1, scaling: 2)],
    head: [HeadTensor(name: "w", shape: [2])], headMode: .shared)

  /// Every chosen float of client c is c, as it lies at the root after a gather.
  private func message(_ chosen: FloatRanges, _ cohort: [Int], _ placement: Placement) throws -> [Float] {
    try (0..<placement.rankCount).flatMap { rank -> [Float] in
      var packed = PackedUpdates(.f32)
      for client in placement.clients(of: cohort, onRank: rank) {
        try packed.append(
          AdapterParameters(layout: layout, values: [Float](repeating: Float(client), count: layout.count)),
          chosen)
      }
      return packed.floats
    }
  }

  /// One layer and the head, estimated at rank 0.
  private let whole = Parcel(layers: 0..<1, hasHead: true, server: 0)

  private func gathered(
    _ chosen: FloatRanges, _ cohort: [Int], _ weights: [Double], _ placement: Placement
  ) throws -> GatheredUpdates {
    let common = AdapterParameters(layout: layout, values: [Float](repeating: -7, count: layout.count))
    return GatheredUpdates(
      whole, cohort: cohort, weights: weights, layouts: cohort.map { _ in layout }, common: common,
      sent: try message(chosen, cohort, placement), GatherOrder(cohort, placement) { _ in chosen })
  }

  @Test(arguments: Placement.Kind.allCases, [1, 2, 3, 5])
  func updatesAreFoundInOrderOfClientId(kind: Placement.Kind, rankCount: Int) throws {
    let placement = Placement(kind: kind, clientCount: 9, rankCount: rankCount)
    let gathered = try gathered(layout.trainable, [1, 4, 5, 8], [0.1, 0.2, 0.3, 0.4], placement)
    try gathered.withUpdates(of: layout.layers[0]) { updates in
      #expect(updates.clients.map { $0.a[0, 0] } == [1, 4, 5, 8])
      #expect(updates.clients.map { $0.b[2, 0] } == [1, 4, 5, 8])
    }
    #expect(
      gathered.meanHead() == [Float](repeating: Float(0.1 * 1.0 + 0.2 * 4 + 0.3 * 5 + 0.4 * 8), count: 2))
  }

  @Test func whatIsNotSentIsWhatAllHave() throws {
    let placement = Placement(kind: .cyclic, clientCount: 4, rankCount: 3)
    let onlyB = layout.floats(a: false, b: true, head: false)
    let gathered = try gathered(onlyB, [0, 1, 3], [0.5, 0.25, 0.25], placement)
    try gathered.withUpdates(of: layout.layers[0]) { updates in
      #expect(updates.clients.map { $0.b[0, 0] } == [0, 1, 3])
      #expect(updates.clients.allSatisfy { $0.a[0, 0] == -7 && $0.a[0, 1] == -7 })
    }
    #expect(gathered.meanHead() == [-7, -7])
  }

  @Test func plansFollowTheWireAndTheHead() {
    let both = RoundPlan(.bothFactors, layout: layout)
    #expect(both.trained.ranges == [0..<7] && both.uploaded == both.trained && both.kept.isEmpty)
    let local = AdapterLayout(
      layers: layout.layers.map(\.layer), head: [HeadTensor(name: "w", shape: [2])], headMode: .local)
    let plan = RoundPlan(WirePlan(trained: .both, uploaded: .a, downloaded: .a), layout: local)
    #expect(plan.trained.ranges == [0..<7] && plan.uploaded.ranges == [0..<2] && plan.kept.ranges == [2..<7])
    #expect(plan.reported == plan.kept)
  }

  @Test(arguments: [HeadMode.shared, .frozen, .local]) func aPlanOfCoresFollowsTheHead(mode: HeadMode) {
    let cored = AdapterLayout(
      layers: layout.layers.map(\.layer), head: [HeadTensor(name: "w", shape: [2])], headMode: mode,
      hasCores: true)
    let plan = RoundPlan(FedSB().wirePlan(round: 1), layout: cored)
    #expect(plan.trained == cored.trainable && plan.trained.ranges == [5..<(mode == .frozen ? 6 : 8)])
    #expect(plan.uploaded.ranges == [5..<(mode == .shared ? 8 : 6)] && plan.downloaded == plan.uploaded)
    #expect(plan.kept.ranges == (mode == .local ? [6..<8] : []))
  }

  private func dense(_ update: IdealUpdate) -> Matrix<Float> {
    update.b.withView { b in update.a.withView { product(b, .asStored, $0) } }
  }

  @Test func theServerAveragesTheCores() throws {
    let cored = AdapterLayout(
      layers: layout.layers.map(\.layer), head: [HeadTensor(name: "w", shape: [2])], headMode: .shared,
      hasCores: true)
    let common = AdapterParameters(layout: cored, values: [1, 2, 3, 4, 5, 0, 9, 9])
    let chosen = RoundPlan(FedSB().wirePlan(round: 1), layout: cored).uploaded
    let placement = Placement(kind: .block, clientCount: 2, rankCount: 1)
    let gathered = GatheredUpdates(
      whole, cohort: [0, 1], weights: [0.25, 0.75], layouts: [cored, cored], common: common,
      sent: [2, 0, 4] + [-4, 8, 0], GatherOrder([0, 1], placement) { _ in chosen })
    let estimate = try Server(rule: FedSB()).next(gathered, after: common, round: 1)
    #expect(estimate.values == [1, 2, 3, 4, 5, -2.5, 6, 1])
    // W* = -2.5 [3; 4; 5] [1 2]; the oracle's pairs carry the cores.
    let ideal = dense(try Server.ideal(estimate)[0])
    let expected: [Float] = [-7.5, -15, -10, -20, -12.5, -25]
    #expect(zip(ideal.elements, expected).allSatisfy { abs($0 - $1) < 1e-5 })
    #expect(try Server.diagnose(estimate)[0].diagnostics.rho < 1e-6)
  }

  @Test func anOracleIsTheExactIdealUpdate() throws {
    let placement = Placement(kind: .block, clientCount: 2, rankCount: 1)
    let gathered = GatheredUpdates(
      whole, cohort: [0, 1], weights: [0.25, 0.75], layouts: [layout, layout],
      common: AdapterParameters(layout: layout), sent: [1, 2, 3, 4, 5, 0, 0] + [-1, 1, 2, 0, 1, 0, 0],
      GatherOrder([0, 1], placement) { _ in layout.trainable })
    let ideal = dense(try Server.ideal(Estimate(updates: gathered, values: [], layers: []))[0])
    // W* = 0.25 [3; 4; 5] [1 2] + 0.75 [2; 0; 1] [-1 1]
    let expected: [Float] = [-0.75, 3, 1, 2, 0.5, 3.25]
    #expect(zip(ideal.elements, expected).allSatisfy { abs($0 - $1) < 1e-6 })
  }

  /// Client 0 has adapter rank 2 under scaling 1, client 1 rank 1 under scaling 2; the global adapter is
  /// that of client 0.
  @Test func clientsOfDifferentRanksAreSeenUnderOneScaling() throws {
    func layout(adapterRank: Int, scaling: Float) -> AdapterLayout {
      AdapterLayout(
        layers: [AdaptedLayer(name: "q", outputs: 2, inputs: 2, adapterRank: adapterRank, scaling: scaling)],
        head: [HeadTensor(name: "w", shape: [1])], headMode: .shared)
    }
    let layouts = [layout(adapterRank: 2, scaling: 1), layout(adapterRank: 1, scaling: 2)]
    let placement = Placement(kind: .block, clientCount: 2, rankCount: 1)
    let order = GatherOrder([0, 1], placement) { layouts[$0].trainable }
    #expect(order.rankCounts == [14] && order.offsets == [0, 9])
    let gathered = GatheredUpdates(
      whole, cohort: [0, 1], weights: [0.5, 0.5], layouts: layouts,
      common: AdapterParameters(layout: layouts[0]), sent: [1, 0, 0, 1, 1, 2, 3, 4, 6] + [1, 1, 5, 7, 8],
      order)
    let ideal = try gathered.withUpdates(of: layouts[0].layers[0]) { updates in
      #expect(updates.clients[1].adapterRank == 1 && updates.clients[1].b[1, 0] == 14)
      let update = IdealUpdate(updates)
      return update.b.withView { b in update.a.withView { product(b, .asStored, $0).elements } }
    }
    // W* = ½ [1 2; 3 4] + ½ · 2 [5; 7] [1 1]
    #expect(zip(ideal, [5.5, 6, 8.5, 9]).allSatisfy { abs(Double($0) - $1) < 1e-5 })
    #expect(gathered.meanHead() == [7])
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
  private func audit(_ wires: [Int64], _ wire: WireFormat = .f32) throws -> ByteAudit {
    try ByteAudit(
      wires: wires, rule: FedIT(), layout: layout, cohort: [0, 2, 3],
      cohortLayouts: [layout, layout, layout],
      placement: Placement(kind: .block, clientCount: 4, rankCount: 2), parcels: [whole], round: 1, wire: wire
    )
  }

  @Test func bytesThatAgreeAreReported() throws {
    #expect(
      try audit(wires()).counted == ByteCounts(logicalUp: 84, logicalDown: 84, gathered: 56, broadcast: 28))
  }

  @Test func numbersOf16BitsTakeHalf() throws {
    #expect(
      try audit(wires().map { $0 / 2 }, .f16).counted
        == ByteCounts(logicalUp: 42, logicalDown: 42, gathered: 28, broadcast: 14))
  }

  @Test func bytesThatDisagreeEndTheRun() {
    #expect(throws: SimulationError.self) { try audit(wires { $0.packed += 4 }) }
    #expect(throws: SimulationError.self) { try audit(wires { $0.applied -= 4 }) }
    #expect(throws: SimulationError.self) { try audit(wires { $0.gather.sentByteCount += 1 }) }
    #expect(throws: SimulationError.self) { try audit(wires { $0.broadcast.receivedByteCount -= 28 }) }
    #expect(throws: SimulationError.self) { try audit(wires(), .bf16) }
  }
}
