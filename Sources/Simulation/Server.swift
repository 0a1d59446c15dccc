internal import Adapters
internal import Aggregation
internal import LinearAlgebra
internal import Telemetry

/// What the server of a parcel made of a round's updates.
struct Estimate {
  let updates: GatheredUpdates
  /// The parcel's floats of the next global adapter; what the clients do not download of it serves reports
  /// alone.
  var values: [Float]
  /// One a layer of the parcel.
  var layers: [AggregatedLayer]

  var parcel: Parcel { updates.parcel }

  /// The floats of `chosen` that are in the parcel.
  subscript(chosen: FloatRanges) -> [Float] { positions(of: chosen).flatMap { values[$0] } }

  /// Where the chosen floats that are in the parcel lie in `values`.
  func positions(of chosen: FloatRanges) -> [Range<Int>] {
    let range = parcel.range(in: updates.layout)
    return chosen.within(range).ranges.map {
      $0.lowerBound - range.lowerBound..<$0.upperBound - range.lowerBound
    }
  }
}

/// The server's part of a round. Pure: updates in, factors out.
struct Server: Sendable {
  let rule: any AggregationRule

  /// The next global adapter: each layer by the rule, the head by the weighted mean unless it is frozen.
  func next(_ updates: GatheredUpdates, after global: AdapterParameters, round: Int) throws -> Estimate {
    let layers = try updates.parcel.slots(of: updates.layout).map { slot in
      do { return try updates.withUpdates(of: slot) { try rule.aggregate($0, round: round) } } catch {
        throw SimulationError.aggregation(
          layer: slot.layer.name, cohort: updates.cohort, cause: "\(error)")
      }
    }
    let range = updates.parcel.range(in: updates.layout)
    var next = Array(global.values[range])
    next.withUnsafeMutableBufferPointer { next in
      guard let start = next.baseAddress else { return }
      for (slot, layer) in zip(updates.parcel.slots(of: updates.layout), layers) {
        setFactors(of: slot, to: layer, in: start - range.lowerBound)
      }
    }
    if updates.parcel.hasHead, updates.layout.headMode != .frozen {
      next.replaceSubrange((updates.layout.factorCount - range.lowerBound)..., with: updates.meanHead())
    }
    return Estimate(updates: updates, values: next, layers: layers)
  }

  /// How far each layer, its change of the base weight included, is from the ideal update, and the two ends
  /// it lies between.
  static func diagnose(_ estimate: Estimate) throws -> [EstimateFigures] {
    try zip(estimate.parcel.slots(of: estimate.updates.layout), estimate.layers).map { slot, layer in
      let diagnostics = try estimate.updates.withUpdates(of: slot) {
        try Aggregation.diagnose($0, layer.applied)
      }
      return EstimateFigures(layer, diagnostics)
    }
  }

  /// The parcel's part of the round's oracle: the clients' factors stacked, so that their product is `W*`
  /// itself; one a layer.
  static func ideal(_ estimate: Estimate) throws -> [IdealUpdate] {
    try estimate.parcel.slots(of: estimate.updates.layout).map { slot in
      try estimate.updates.withUpdates(of: slot) { IdealUpdate($0) }
    }
  }
}

/// Writes the aggregate's factors into a buffer of the slot's layout. Where no client of the cohort had the
/// global adapter's rank, the directions beyond keep their A, from which they can be trained again, and B is
/// zero: they add nothing.
private func setFactors(of slot: LayerSlot, to layer: AggregatedLayer, in buffer: UnsafeMutablePointer<Float>)
{
  let (a, b) = (slot.a(in: buffer), slot.b(in: buffer))
  if let core = slot.core(in: buffer), let mean = layer.core {
    for row in 0..<core.rows { for column in 0..<core.columns { core[row, column] = mean[row, column] } }
  }
  for row in 0..<layer.a.rows { for column in 0..<a.columns { a[row, column] = layer.a[row, column] } }
  for row in 0..<b.rows {
    for column in 0..<b.columns { b[row, column] = column < layer.b.columns ? layer.b[row, column] : 0 }
  }
}
