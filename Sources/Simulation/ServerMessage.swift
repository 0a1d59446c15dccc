internal import Adapters
internal import Aggregation
internal import Configuration
internal import LinearAlgebra
internal import Transformer

/// What the server of a parcel sends to every client: its downloaded floats of the adapter, and for methods
/// that change the base weights the change of each layer, factored or dense, whichever the method's definition counts.
struct ServerMessage: Sendable {
  /// One layer's change of the base weight: floats of a factored pair, or of a dense matrix.
  enum BaseForm: Sendable, Equatable {
    /// b (outputs × rank), then a (rank × inputs).
    case factored(rank: Int)
    case dense
  }

  let wire: WireFormat
  let downloaded: FloatRanges
  /// The parcel's layers in the global layout.
  let slots: ArraySlice<LayerSlot>
  /// One a layer of the parcel; empty where the base weights stay.
  let forms: [BaseForm]
  /// The downloaded floats of the adapter, then the layers' changes.
  var floats: [Float]

  /// Room for a message to a cohort with adapters of these layouts; the same on every rank.
  init(
    _ parcel: Parcel, _ plan: RoundPlan, rule: any AggregationRule, layout: AdapterLayout,
    cohort: [AdapterLayout], round: Int, wire: WireFormat
  ) {
    self.wire = wire
    downloaded = plan.downloaded.within(parcel.range(in: layout))
    slots = parcel.slots(of: layout)
    forms = plan.base == .none ? [] : slots.map { Self.form(of: $0, rule, cohort, round: round) }
    floats = []
    floats = [Float](repeating: 0, count: baseRanges.last?.range.upperBound ?? downloaded.count)
  }

  /// The form whose floats the rule's definition counts for the download.
  private static func form(
    of slot: LayerSlot, _ rule: any AggregationRule, _ cohort: [AdapterLayout], round: Int
  ) -> BaseForm {
    let ranks = cohort.map { $0.layers[slot.index].layer.adapterRank }
    let counts = rule.wireFloatCounts(of: slot.shape, adapterRanks: ranks, client: 0, round: round)
    let factors = rule.wirePlan(round: round).downloaded.floatCount(of: slot.shape, adapterRank: ranks[0])
    let base = counts.down - factors
    let perRank = slot.shape.factorFloatCount(adapterRank: 1)
    // Factors are counted only where they are fewer floats than the dense matrix.
    let isDense = base == slot.shape.outputs * slot.shape.inputs
    return isDense ? .dense : .factored(rank: base / perRank)
  }

  private static func count(_ slot: LayerSlot, _ form: BaseForm) -> Int {
    switch form {
    case .factored(let rank): slot.shape.factorFloatCount(adapterRank: rank)
    case .dense: slot.layer.outputs * slot.layer.inputs
    }
  }

  /// Where in the message each layer's change of the base weight lies.
  private var baseRanges: [(slot: LayerSlot, form: BaseForm, range: Range<Int>)] {
    var next = downloaded.count
    return zip(slots, forms).map { slot, form in
      let start = next
      next += Self.count(slot, form)
      return (slot, form, start..<next)
    }
  }

  /// What comes down besides the adapter's floats.
  var baseByteCount: Int { (floats.count - downloaded.count) * wire.byteCount }

  /// At the parcel's server: fills in what the server sends, as the wire carries it.
  ///
  /// - Throws: where a float does not fit; its position is that in the message.
  mutating func fill(_ estimate: Estimate) throws(WireRangeError) {
    var next = estimate[downloaded]
    for (form, layer) in zip(forms, estimate.layers) {
      guard let update = layer.baseUpdate else {
        preconditionFailure("the rule returned no change of the base")
      }
      switch form {
      case .factored: next += update.b.elements + update.a.elements
      case .dense:
        next += update.b.withView { b in update.a.withView { a in product(b, .asStored, a).elements } }
      }
    }
    precondition(next.count == floats.count, "a message of \(next.count) floats for \(floats.count)")
    try wire.round(&next)
    floats = next
  }

  /// Puts the message in place, as every client does.
  func apply(to global: inout AdapterParameters, base: inout BaseWeights?) {
    global[downloaded] = Array(floats.prefix(downloaded.count))
    floats.withUnsafeBufferPointer { floats in
      for (slot, form, range) in baseRanges {
        switch Self.change(of: slot, form, in: floats[range]) {
        case .factored(let b, let a): base?.add(b: b, a: a, to: slot)
        case .dense(let change): base?.add(change, to: slot)
        }
      }
    }
  }

  /// One layer's change of the base weight as it lies in a message.
  private enum Change {
    case factored(b: MatrixView<Float>, a: MatrixView<Float>)
    case dense(MatrixView<Float>)
  }

  private static func change(
    of slot: LayerSlot, _ form: BaseForm, in floats: Slice<UnsafeBufferPointer<Float>>
  ) -> Change {
    let (d, k) = (slot.layer.outputs, slot.layer.inputs)
    let start = UnsafeBufferPointer(rebasing: floats).baseAddress!
    switch form {
    case .factored(let rank):
      return .factored(
        b: MatrixView(start, rows: d, columns: rank), a: MatrixView(start + d * rank, rows: rank, columns: k))
    case .dense: return .dense(MatrixView(start, rows: d, columns: k))
    }
  }
}

extension ServerMessage {
  /// What the clients get of an estimate, rounded as the filled message is; the figures of a round are its. What
  /// is not sent stays as it was found.
  func received(_ estimate: Estimate) -> Estimate {
    guard wire != .f32 else { return estimate }
    var received = estimate
    var next = 0
    for range in estimate.positions(of: downloaded) {
      received.values.replaceSubrange(range, with: floats[next..<next + range.count])
      next += range.count
    }
    let updates = baseUpdates
    let start = estimate.parcel.range(in: estimate.updates.layout).lowerBound
    received.layers = received.values.withUnsafeBufferPointer { values in
      zip(slots, estimate.layers).enumerated().map { index, pair in
        let (slot, layer) = pair
        guard let first = values.baseAddress else { return layer }
        return AggregatedLayer(
          a: Matrix(slot.a(in: first - start)), b: Matrix(slot.b(in: first - start)),
          core: slot.core(in: first - start).map { Matrix($0) }, coefficients: layer.coefficients,
          sweeps: layer.sweeps, baseUpdate: updates.isEmpty ? nil : updates[index])
      }
    }
    return received
  }

  /// The layers' changes of the base weights; a dense one beside an identity.
  private var baseUpdates: [LowRankUpdate] {
    floats.withUnsafeBufferPointer { floats in
      baseRanges.map { slot, form, range in
        switch Self.change(of: slot, form, in: floats[range]) {
        case .factored(let b, let a): return LowRankUpdate(a: Matrix(a), b: Matrix(b))
        case .dense(let change):
          return change.rows < change.columns
            ? LowRankUpdate(a: Matrix(change), b: .identity(change.rows))
            : LowRankUpdate(a: .identity(change.columns), b: Matrix(change))
        }
      }
    }
  }

  /// The name of the layer that a float of the message belongs to.
  func layerName(ofFloat index: Int) -> String {
    for (slot, _, range) in baseRanges where range.contains(index) { return slot.layer.name }
    var rest = index
    for range in downloaded.ranges {
      if rest < range.count { return slots.tensorName(ofFloat: range.lowerBound + rest) }
      rest -= range.count
    }
    preconditionFailure("float \(index) of a message of \(floats.count)")
  }
}

extension Sequence<LayerSlot> {
  /// The name of the tensor in whose place a float of an adapter lies; what is no layer's is the head's.
  func tensorName(ofFloat index: Int) -> String {
    for slot in self {
      for tensor in [slot.a, slot.b] + (slot.core.map { [$0] } ?? []) where tensor.range.contains(index) {
        return tensor.name
      }
    }
    return "the head"
  }
}

extension Matrix<Float> {
  fileprivate static func identity(_ size: Int) -> Matrix {
    var matrix = Matrix(rows: size, columns: size)
    for index in 0..<size { matrix[index, index] = 1 }
    return matrix
  }
}

extension LayerSlot {
  var shape: LayerShape { LayerShape(outputs: layer.outputs, inputs: layer.inputs) }
}
