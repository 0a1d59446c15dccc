internal import LinearAlgebra

/// Plain averaging: `b = Σ p_u B_u`, `a = Σ p_u A_u`. Source: arXiv 2305.05644.
public struct FedIT: AggregationRule {
  public init() {}

  public var name: String { "fedit" }

  public func aggregate(_ updates: LayerUpdates) throws -> AggregatedLayer {
    _ = try updates.uniformAdapterRank(for: name)
    return combine(updates, CombinationCoefficients(ofB: updates.weights, ofA: updates.weights), sweeps: nil)
  }
}

/// The layer with scalar coefficients: the sums are taken in Float64 and rounded once.
func combine(
  _ updates: LayerUpdates, _ coefficients: CombinationCoefficients, sweeps: Int?
) -> AggregatedLayer {
  AggregatedLayer(
    a: Matrix(rounding: combination(updates.clients.map(\.a), coefficients.ofA)),
    b: Matrix(rounding: combination(updates.clients.map(\.b), coefficients.ofB)),
    coefficients: coefficients, sweeps: sweeps)
}

/// `Σ coefficients[u] · terms[u]` in Float64, in the order given. A term with fewer rows or columns than
/// the largest counts as padded with zeros.
func combination(_ terms: [MatrixView<Float>], _ coefficients: [Double]) -> Matrix<Double> {
  var sum = Matrix<Double>(
    rows: terms.map(\.rows).max() ?? 0, columns: terms.map(\.columns).max() ?? 0)
  guard !sum.elements.isEmpty else { return sum }
  sum.withMutableView { sum in
    for (term, coefficient) in zip(terms, coefficients) { accumulate(coefficient, term, into: sum) }
  }
  return sum
}

private func accumulate(_ factor: Double, _ term: MatrixView<Float>, into sum: MutableMatrixView<Double>) {
  for row in 0..<term.rows {
    let source = term.base + row * term.stride
    let target = sum.base + row * sum.stride
    for column in 0..<term.columns { target[column] += factor * Double(source[column]) }
  }
}

extension Matrix where Scalar == Float {
  /// The nearest Float32 matrix.
  init(rounding matrix: Matrix<Double>) {
    self.init(rows: matrix.rows, columns: matrix.columns, elements: matrix.elements.map { Float($0) })
  }
}
