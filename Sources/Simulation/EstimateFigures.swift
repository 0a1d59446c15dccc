internal import Adapters
internal import Aggregation
internal import Telemetry

/// What a server reports of one layer: how far its aggregate is from the ideal update, and how it was found.
struct EstimateFigures: Sendable {
  let diagnostics: LayerDiagnostics
  let coefficients: ClosedRange<Double>?
  let sweeps: Int?

  init(_ layer: AggregatedLayer, _ diagnostics: LayerDiagnostics) {
    self.diagnostics = diagnostics
    coefficients = layer.coefficients?.range
    sweeps = layer.sweeps
  }

  /// The numbers that carry the figures to the root; what is missing is NaN.
  var wire: [Double] {
    [
      diagnostics.idealNorm, diagnostics.errorNorm, diagnostics.errorNormFedIT, diagnostics.errorNormOptimum,
      coefficients?.lowerBound ?? .nan, coefficients?.upperBound ?? .nan, sweeps.map(Double.init) ?? .nan,
    ]
  }
  static let wireCount = 7

  init(wire: ArraySlice<Double>) {
    let numbers = Array(wire)
    diagnostics = LayerDiagnostics(
      idealNorm: numbers[0], errorNorm: numbers[1], errorNormFedIT: numbers[2], errorNormOptimum: numbers[3])
    coefficients = numbers[4].isNaN ? nil : numbers[4]...numbers[5]
    sweeps = numbers[6].isNaN ? nil : Int(numbers[6])
  }

  func report(round: Int, _ slot: LayerSlot) -> LayerReport {
    LayerReport(
      round: round, layer: slot.layer.name, rho: diagnostics.rho, rhoFedIT: diagnostics.rhoFedIT,
      rhoOptimum: diagnostics.rhoOptimum, closedGap: diagnostics.closedGap,
      coefficients: coefficients.map { .init(minimum: $0.lowerBound, maximum: $0.upperBound) },
      sweeps: sweeps)
  }
}
