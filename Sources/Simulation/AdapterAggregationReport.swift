internal import Adapters
internal import Aggregation
internal import LinearAlgebra
public import Telemetry

/// What the aggregation did in each layer and in all of them together.
public struct AdapterAggregationReport: Sendable {
  let method: String
  let output: String
  /// Folders and their weights, which sum to 1.
  let adapters: [(folder: String, weight: Double)]
  let layers: [LayerFigures]

  /// All layers together, each counted under its scaling.
  private var total: LayerDiagnostics {
    .total(layers.map { $0.diagnostics.scaled(by: $0.layer.scaling) })
  }

  /// Aligned text: a line a layer and one for all, with a header and a line end.
  public var table: String {
    let head = ["layer", "shape", "adapter rank", "ρ", "ρ FedIT", "ρ optimum", "closed gap"]
    let rows = layers.map { figures in
      let layer = figures.layer
      return [layer.name, "\(layer.outputs)×\(layer.inputs)", "\(figures.adapterRank)"]
        + figures.diagnostics.columns
    }
    return aligned([head] + rows + [["total", "", ""] + total.columns], leading: 1)
  }

  public var json: JSONValue {
    .object(
      [
        ("method", .string(method)), ("output", .string(output)),
        (
          "adapters",
          .array(adapters.map { .object([("path", .string($0.folder)), ("weight", .number($0.weight))]) })
        ),
      ] + total.entries + [("layers", .array(layers.map(\.json)))])
  }
}

/// One layer's figures.
struct LayerFigures: Sendable {
  let layer: PEFTLayer
  /// That of the result.
  let adapterRank: Int
  private let estimate: EstimateFigures

  init(_ layer: PEFTLayer, _ aggregated: AggregatedLayer, _ diagnostics: LayerDiagnostics) {
    self.layer = layer
    adapterRank = aggregated.a.rows
    estimate = EstimateFigures(aggregated, diagnostics)
  }

  var diagnostics: LayerDiagnostics { estimate.diagnostics }

  var json: JSONValue {
    .object(
      [
        ("layer", .string(layer.name)), ("outputs", .integer(layer.outputs)),
        ("inputs", .integer(layer.inputs)), ("adapterRank", .integer(adapterRank)),
        ("scaling", .number(layer.scaling)),
      ] + diagnostics.entries
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
  var wire: [Double] { [Double(adapterRank)] + estimate.wire }

  init(_ layer: PEFTLayer, wire: [Double]) {
    self.layer = layer
    adapterRank = Int(wire[0])
    estimate = EstimateFigures(wire: wire.dropFirst())
  }
}

extension LayerDiagnostics {
  fileprivate func scaled(by factor: Double) -> LayerDiagnostics {
    LayerDiagnostics(
      idealNorm: idealNorm * factor, errorNorm: errorNorm * factor,
      errorNormFedIT: errorNormFedIT * factor, errorNormOptimum: errorNormOptimum * factor)
  }

  fileprivate var columns: [String] {
    [significant(rho), significant(rhoFedIT), significant(rhoOptimum)]
      + [fixed(closedGap, 3)]
  }

  fileprivate var entries: [(key: String, value: JSONValue)] {
    [
      ("rho", .number(rho)), ("rhoFedIT", .number(rhoFedIT)), ("rhoOptimum", .number(rhoOptimum)),
      ("closedGap", closedGap.map { .number($0) } ?? .null),
    ]
  }
}
