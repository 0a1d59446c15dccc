import Adapters
import Aggregation
import Configuration
import LinearAlgebra
import MPI
import Testing
import Transformer

@testable import Simulation

@Suite struct WireFormatTests {
  private let layout = AdapterLayout(
    layers: ["q", "v"].map { AdaptedLayer(name: $0, outputs: 3, inputs: 2, adapterRank: 1, scaling: 1) },
    head: [HeadTensor(name: "w", shape: [2])], headMode: .shared)

  private var whole: Parcel { Parcel(layers: 0..<2, hasHead: true, server: 0) }

  private func parameters(_ change: (inout [Float]) -> Void = { _ in }) -> AdapterParameters {
    var values = (0..<layout.count).map { 0.1 + Float($0) }
    change(&values)
    return AdapterParameters(layout: layout, values: values)
  }

  @Test func updatesArePackedAsTheWireCarriesThem() throws {
    for wire in WireFormat.allCases {
      var packed = PackedUpdates(wire)
      let chosen = layout.floats(a: false, b: true, head: true)
      try packed.append(parameters(), chosen)
      try packed.append(parameters(), chosen)
      var expected = parameters()[chosen] + parameters()[chosen]
      #expect((packed.floats == expected) == (wire == .f32))
      try wire.round(&expected)
      #expect(packed.floats == expected && packed.byteCount == expected.count * (wire == .f32 ? 4 : 2))
    }
  }

  /// The position is that in the adapter, whatever was chosen of it and packed before.
  @Test func aFloatThatDoesNotFitIsNamed() throws {
    let chosen = layout.floats(a: false, b: true, head: true)
    let tensors = [(3, "q.lora_B.weight"), (9, "v.lora_B.weight"), (11, "the head")]
    for (position, tensor) in tensors {
      var packed = PackedUpdates(.f16)
      try packed.append(parameters(), chosen)
      let error = #expect(throws: WireRangeError.self) {
        try packed.append(parameters { $0[position] = -1e5 }, chosen)
      }
      #expect(error?.index == position && error?.value == -1e5)
      #expect(layout.layers.tensorName(ofFloat: position) == tensor)
      #expect(error?.description.contains("65520") == true && error?.description.contains("bf16") == true)
    }
    // What is not sent may be anything.
    var packed = PackedUpdates(.f16)
    try packed.append(parameters { $0[0] = 1e5 }, chosen)
    for value in [Float.infinity, .nan] {
      var floats: [Float] = [1, value]
      #expect(throws: WireRangeError.self) { try WireFormat.bf16.round(&floats) }
      #expect(floats[0] == 1)
      try WireFormat.f32.round(&floats)
    }
  }

  private func estimate(_ rule: any AggregationRule, _ wire: WireFormat) throws -> Estimate {
    let placement = Placement(kind: .block, clientCount: 2, rankCount: 1)
    let plan = RoundPlan(rule.wirePlan(round: 1), layout: layout)
    var packed = PackedUpdates(wire)
    for seed in 1...2 {
      try packed.append(
        parameters { values in for i in values.indices { values[i] = 1 / Float(3 * i + 7 * seed) } },
        plan.uploaded)
    }
    let common = parameters()
    let updates = GatheredUpdates(
      whole, cohort: [0, 1], weights: [0.3, 0.7], layouts: [layout, layout], common: common,
      sent: packed.floats, GatherOrder([0, 1], placement) { _ in plan.uploaded })
    return try Server(rule: rule).next(updates, after: common, round: 1)
  }

  private func message(_ rule: any AggregationRule, _ wire: WireFormat) -> ServerMessage {
    let plan = RoundPlan(rule.wirePlan(round: 1), layout: layout)
    return ServerMessage(
      whole, plan, rule: rule, layout: layout, cohort: [layout, layout], round: 1, wire: wire)
  }

  private static let rules: [any AggregationRule] = [
    FedIT(), FloraNA(), FedSALoRA(), FLoRA(), Ideal(), FedExLoRA(),
  ]

  /// What figures are of is what arrives: the floats of the message in their places, the rest as it was found.
  @Test(arguments: rules.indices, [WireFormat.bf16, .f16])
  func figuresAreOfWhatIsSent(index: Int, wire: WireFormat) throws {
    let rule = Self.rules[index]
    let estimate = try estimate(rule, wire)
    var message = message(rule, wire)
    try message.fill(estimate)
    let received = message.received(estimate)
    let plan = RoundPlan(rule.wirePlan(round: 1), layout: layout)
    #expect(received[plan.downloaded] == Array(message.floats.prefix(plan.downloaded.count)))
    #expect(received[plan.reported] == estimate[plan.reported])
    var rounded = message.floats
    try wire.round(&rounded)
    #expect(rounded == message.floats)
    let (exact, sent) = (try Server.diagnose(estimate), try Server.diagnose(received))
    let unit = wire == .bf16 ? 0x1p-8 : 0x1p-11
    for (exact, sent) in zip(exact, sent) {
      let difference = abs(exact.diagnostics.rho - sent.diagnostics.rho)
      #expect(difference > unit / 512 && difference < 4 * unit, "\(rule.name): \(difference)")
      #expect(exact.diagnostics.rhoFedIT == sent.diagnostics.rhoFedIT)
    }
    // The base weights and the figures have the same change.
    var global = parameters()
    var base: BaseWeights? = BaseWeights(
      layout: layout, values: [Float](repeating: 0, count: layout.baseCount))
    message.apply(to: &global, base: &base)
    let changed = try #require(base)
    for (index, slot) in layout.layers.enumerated() {
      let update = received.layers[index].baseUpdate
      #expect((update == nil) == (estimate.layers[index].baseUpdate == nil))
      let expected = update.map(change) ?? [Float](repeating: 0, count: 6)
      let difference = zip(changed[slot], expected).map { abs($0 - $1) }.max()!
      #expect(difference <= 1e-6 * expected.map(abs).max()!, "\(rule.name): \(difference)")
    }
  }

  private func change(_ update: LowRankUpdate) -> [Float] {
    update.b.withView { b in update.a.withView { a in product(b, .asStored, a).elements } }
  }

  @Test func nothingChangesInF32() throws {
    for rule in Self.rules {
      let estimate = try estimate(rule, .f32)
      var message = message(rule, .f32)
      try message.fill(estimate)
      let received = message.received(estimate)
      #expect(received.values == estimate.values && received.layers == estimate.layers)
    }
  }

  @Test func aFloatOfAMessageHasItsLayer() throws {
    let factors = message(FedIT(), .f16)
    #expect(
      [0, 4, 5, 10].map(factors.layerName) == [
        "q.lora_A.weight", "q.lora_B.weight", "v.lora_A.weight", "the head",
      ])
    // The head of 2 comes first, then the stacked factors of rank 2 (10 floats) of each layer, or 6 dense.
    let folded = message(FLoRA(), .f16)
    #expect([0, 2, 11, 12, 21].map(folded.layerName) == ["the head", "q", "q", "v", "v"])
    let dense = message(Ideal(), .f16)
    #expect([1, 2, 7, 8, 13].map(dense.layerName) == ["the head", "q", "q", "v", "v"])
  }

  @Test func aMessageThatDoesNotFitIsNotSent() throws {
    var estimate = try estimate(FedIT(), .f32)
    estimate.values[9] = 70000
    var message = message(FedIT(), .f16)
    let error = #expect(throws: WireRangeError.self) { try message.fill(estimate) }
    #expect(error.map { message.layerName(ofFloat: $0.index) } == "v.lora_B.weight")
  }
}
