internal import Adapters
internal import Aggregation
internal import Configuration
internal import LinearAlgebra
public import Telemetry

/// What the aggregation did in each layer and in all of them together.
public struct AdapterAggregationReport: Sendable {
  let method: String
  let output: String
  /// Folders and their weights, which sum to 1.
  let adapters: [(folder: String, weight: Double)]
  let wire: RunConfiguration.Server.Wire
  let layers: [LayerFigures]

  /// All layers together, each counted under its scaling.
  private var total: LayerDiagnostics {
    .total(layers.map { $0.diagnostics.scaled(by: $0.layer.scaling) })
  }

  /// The same without the wire's rounding; nil where there is none.
  private var unroundedTotal: LayerDiagnostics? {
    let unrounded = layers.compactMap { figures in
      figures.unrounded.map { $0.scaled(by: figures.layer.scaling) }
    }
    return unrounded.count == layers.count ? .total(unrounded) : nil
  }

  /// Aligned text: a line a layer and one for all, with a header and a line end.
  public var table: String {
    let head =
      ["layer", "shape", "adapter rank", "ρ"] + (wire == .f32 ? [] : ["ρ f32"])
      + ["ρ FedIT", "ρ optimum", "closed gap"]
    let rows = layers.map { figures in
      let layer = figures.layer
      return [layer.name, "\(layer.outputs)×\(layer.inputs)", "\(figures.adapterRank)"]
        + figures.diagnostics.columns(beside: figures.unrounded)
    }
    let last = ["total", "", ""] + total.columns(beside: unroundedTotal)
    return aligned([head] + rows + [last], leading: 1)
  }

  public var json: JSONValue {
    .object(
      [
        ("method", .string(method)), ("output", .string(output)),
        (
          "adapters",
          .array(adapters.map { .object([("path", .string($0.folder)), ("weight", .number($0.weight))]) })
        ),
      ] + (wire == .f32 ? [] : [("wire", .string(wire.rawValue))]) + total.entries(beside: unroundedTotal) + [
        ("layers", .array(layers.map(\.json)))
      ])
  }
}

/// One layer's figures.
struct LayerFigures: Sendable {
  let layer: PEFTLayer
  /// That of the result.
  let adapterRank: Int
  private let estimate: EstimateFigures
  /// Of the rule without the wire's rounding; NaN where there is none.
  private let unroundedErrorNorm: Double

  /// `diagnostics`: of the result, and where that was rounded also without.
  init(_ layer: PEFTLayer, _ aggregated: AggregatedLayer, _ diagnostics: [LayerDiagnostics]) {
    self.layer = layer
    adapterRank = aggregated.a.rows
    estimate = EstimateFigures(aggregated, diagnostics[0])
    unroundedErrorNorm = diagnostics.count > 1 ? diagnostics[1].errorNorm : .nan
  }

  var diagnostics: LayerDiagnostics { estimate.diagnostics }

  var unrounded: LayerDiagnostics? {
    guard !unroundedErrorNorm.isNaN else { return nil }
    var unrounded = diagnostics
    unrounded.errorNorm = unroundedErrorNorm
    return unrounded
  }

  var json: JSONValue {
    .object(
      [
        ("layer", .string(layer.name)), ("outputs", .integer(layer.outputs)),
        ("inputs", .integer(layer.inputs)), ("adapterRank", .integer(adapterRank)),
        ("scaling", .number(layer.scaling)),
      ] + diagnostics.entries(beside: unrounded)
        + (estimate.coefficients.map { range -> [(key: String, value: JSONValue)] in
          let pair: [(key: String, value: JSONValue)] = [
            ("minimum", .number(range.lowerBound)), ("maximum", .number(range.upperBound)),
          ]
          return [("coefficients", .object(pair))]
        } ?? []) + (estimate.sweeps.map { [("sweeps", .integer($0))] } ?? []))
  }
}

extension LayerFigures {
  /// Numbers that carry the figures between ranks.
  var wire: [Double] { [Double(adapterRank), unroundedErrorNorm] + estimate.wire }

  init(_ layer: PEFTLayer, wire: [Double]) {
    self.layer = layer
    adapterRank = Int(wire[0])
    unroundedErrorNorm = wire[1]
    estimate = EstimateFigures(wire: wire.dropFirst(2))
  }
}

extension LayerDiagnostics {
  fileprivate func scaled(by factor: Double) -> LayerDiagnostics {
    LayerDiagnostics(
      idealNorm: idealNorm * factor, errorNorm: errorNorm * factor,
      errorNormFedIT: errorNormFedIT * factor, errorNormOptimum: errorNormOptimum * factor)
  }

  // The bounds are those of unrounded factors, and so is the gap between them that is closed.
  fileprivate func columns(beside unrounded: LayerDiagnostics?) -> [String] {
    ([rho] + (unrounded.map { [$0.rho] } ?? []) + [rhoFedIT, rhoOptimum]).map { significant($0) }
      + [fixed((unrounded ?? self).closedGap, 3)]
  }

  fileprivate func entries(beside unrounded: LayerDiagnostics?) -> [(key: String, value: JSONValue)] {
    [("rho", .number(rho))] + (unrounded.map { [("rhoF32", .number($0.rho))] } ?? []) + [
      ("rhoFedIT", .number(rhoFedIT)), ("rhoOptimum", .number(rhoOptimum)),
      ("closedGap", (unrounded ?? self).closedGap.map { .number($0) } ?? .null),
    ]
  }
}
