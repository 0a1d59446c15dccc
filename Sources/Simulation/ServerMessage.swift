internal import Adapters
internal import Aggregation
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
    cohort: [AdapterLayout], round: Int
  ) {
    downloaded = plan.downloaded.within(parcel.range(in: layout))
    slots = parcel.slots(of: layout)
    forms = plan.base == .none ? [] : slots.map { Self.form(of: $0, rule, cohort, round: round) }
    let base = zip(slots, forms).reduce(0) { $0 + Self.count($1.0, $1.1) }
    floats = [Float](repeating: 0, count: downloaded.count + base)
  }

  /// The form whose floats the rule's definition counts for the download.
  private static func form(
    of slot: LayerSlot, _ rule: any AggregationRule, _ cohort: [AdapterLayout], round: Int
  ) -> BaseForm {
    let ranks = cohort.map { $0.layers[slot.index].layer.adapterRank }
    let counts = rule.wireFloatCounts(of: slot.shape, adapterRanks: ranks, client: 0, round: round)
    let factors = rule.wirePlan(round: round).downloaded.floatCount(of: slot.shape, adapterRank: ranks[0])
    let rank = ranks.reduce(0, +)
    let base = counts.down - factors
    return base == slot.shape.factorFloatCount(adapterRank: rank) ? .factored(rank: rank) : .dense
  }

  private static func count(_ slot: LayerSlot, _ form: BaseForm) -> Int {
    switch form {
    case .factored(let rank): slot.shape.factorFloatCount(adapterRank: rank)
    case .dense: slot.layer.outputs * slot.layer.inputs
    }
  }

  /// What comes down besides the adapter's floats.
  var baseByteCount: Int { (floats.count - downloaded.count) * MemoryLayout<Float>.stride }

  /// At the parcel's server: fills in what the server sends.
  mutating func fill(_ estimate: Estimate) {
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
    floats = next
  }

  /// Puts the message in place, as every client does.
  func apply(to global: inout AdapterParameters, base: inout BaseWeights?) {
    global[downloaded] = Array(floats.prefix(downloaded.count))
    floats.withUnsafeBufferPointer { floats in
      var next = floats.baseAddress! + downloaded.count
      for (slot, form) in zip(slots, forms) {
        let (d, k) = (slot.layer.outputs, slot.layer.inputs)
        switch form {
        case .factored(let rank):
          base?.add(
            b: MatrixView(next, rows: d, columns: rank),
            a: MatrixView(next + d * rank, rows: rank, columns: k),
            to: slot)
        case .dense: base?.add(MatrixView(next, rows: d, columns: k), to: slot)
        }
        next += Self.count(slot, form)
      }
    }
  }
}

extension LayerSlot {
  var shape: LayerShape { LayerShape(outputs: layer.outputs, inputs: layer.inputs) }
}
