internal import Adapters
internal import Aggregation
internal import LinearAlgebra
internal import Telemetry

/// What the server made of a round's updates; only the root has it.
struct Estimate {
  let updates: GatheredUpdates
  /// The next global adapter; what the clients do not download of it serves reports alone.
  let global: AdapterParameters
  /// One a layer of the layout.
  let layers: [AggregatedLayer]
}

/// The server's part of a round. Pure: updates in, factors out.
struct Server: Sendable {
  let rule: any AggregationRule

  /// The next global adapter: each layer by the rule, the head by the weighted mean unless it is frozen.
  func next(_ updates: GatheredUpdates, after global: AdapterParameters, round: Int) throws -> Estimate {
    var next = global
    let layers = try updates.layout.layers.map { slot in
      do { return try updates.withUpdates(of: slot) { try rule.aggregate($0, round: round) } } catch {
        throw SimulationError.aggregation(
          layer: slot.layer.name, cohort: updates.cohort, cause: "\(error)")
      }
    }
    for (slot, layer) in zip(updates.layout.layers, layers) { next.setFactors(of: slot, to: layer) }
    if updates.layout.headMode != .frozen { next.head = updates.meanHead()[...] }
    return Estimate(updates: updates, global: next, layers: layers)
  }

  /// How far each layer, its change of the base weight included, is from the ideal update, and the two ends
  /// it lies between.
  static func diagnose(_ estimate: Estimate) throws -> [LayerDiagnostics] {
    try zip(estimate.updates.layout.layers, estimate.layers).map { slot, layer in
      try estimate.updates.withUpdates(of: slot) { try Aggregation.diagnose($0, layer.applied) }
    }
  }

  /// The oracle of this round: the clients' factors stacked, so that their product is `W*` itself. Its
  /// layout is that of the updates stacked once for each client.
  static func oracle(_ estimate: Estimate) throws -> AdapterParameters {
    let updates = estimate.updates
    var oracle = AdapterParameters(layout: updates.layout.stacking(updates.clientLayouts))
    for (slot, stacked) in zip(updates.layout.layers, oracle.layout.layers) {
      let ideal = try updates.withUpdates(of: slot) { IdealUpdate($0) }
      oracle[stacked.a] = ideal.a.elements[...]
      oracle[stacked.b] = ideal.b.elements[...]
    }
    oracle.head = estimate.global.head
    return oracle
  }
}

extension AdapterParameters {
  /// The aggregate's factors. Where no client of the cohort had the global adapter's rank, the directions
  /// beyond keep their A, from which they can be trained again, and B is zero: they add nothing.
  fileprivate mutating func setFactors(of slot: LayerSlot, to layer: AggregatedLayer) {
    values.withUnsafeMutableBufferPointer { values in
      let (a, b) = (slot.a(in: values.baseAddress!), slot.b(in: values.baseAddress!))
      if let core = slot.core(in: values.baseAddress!), let mean = layer.core {
        for row in 0..<core.rows { for column in 0..<core.columns { core[row, column] = mean[row, column] } }
      }
      for row in 0..<layer.a.rows { for column in 0..<a.columns { a[row, column] = layer.a[row, column] } }
      for row in 0..<b.rows {
        for column in 0..<b.columns { b[row, column] = column < layer.b.columns ? layer.b[row, column] : 0 }
      }
    }
  }
}

extension LayerReport {
  init(round: Int, slot: LayerSlot, _ layer: AggregatedLayer, _ diagnostics: LayerDiagnostics) {
    self.init(
      round: round, layer: slot.layer.name, rho: diagnostics.rho, rhoFedIT: diagnostics.rhoFedIT,
      rhoOptimum: diagnostics.rhoOptimum, closedGap: diagnostics.closedGap,
      coefficients: layer.coefficients.map {
        Range(minimum: $0.range.lowerBound, maximum: $0.range.upperBound)
      },
      sweeps: layer.sweeps)
  }
}
