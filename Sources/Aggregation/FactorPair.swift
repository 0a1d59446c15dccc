internal import LinearAlgebra

/// A pair of factors in Float64.
struct FactorPair {
  /// adapterRank × inputs
  var a: Matrix<Double>
  /// outputs × adapterRank
  var b: Matrix<Double>

  /// `Σ Q_u A_u` and `Σ P_u B_u`, summed in Float64.
  init(combining updates: LayerUpdates, _ coefficients: CombinationCoefficients) {
    a = combination(updates.clients.map(\.a), coefficients.ofA)
    b = combination(updates.clients.map(\.b), coefficients.ofB)
  }

  /// `Σ p_u A_u` and `Σ p_u B_u`, summed in Float64.
  init(averaging updates: LayerUpdates) {
    self.init(combining: updates, CombinationCoefficients(ofB: updates.weights, ofA: updates.weights))
  }

  init(_ layer: AggregatedLayer) {
    a = layer.a.withView { Matrix<Double>($0) }
    b = layer.b.withView { Matrix<Double>($0) }
  }

  init(a: Matrix<Double>, b: Matrix<Double>) {
    self.a = a
    self.b = b
  }

  /// Rounded to Float32, once.
  var rounded: AggregatedLayer { AggregatedLayer(a: Matrix(rounding: a), b: Matrix(rounding: b)) }
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
