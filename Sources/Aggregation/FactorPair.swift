internal import LinearAlgebra

/// A pair of factors in Float64.
struct FactorPair {
  /// adapterRank × inputs
  var a: Matrix<Double>
  /// outputs × adapterRank
  var b: Matrix<Double>

  /// `Σ Q_u A_u` and `Σ P_u B_u`, summed in Float64; with cores `Σ Q_u R_u A_u`.
  init(combining updates: LayerUpdates, _ coefficients: CombinationCoefficients) {
    let cored = zip(updates.clients, coefficients.ofA).compactMap { $0.cored(scaledBy: $1) }
    a =
      cored.isEmpty
      ? combination(updates.clients.map(\.a), coefficients.ofA)
      : cored.dropFirst().reduce(into: cored[0]) { $0 += $1 }
    b = combination(updates.clients.map(\.b), coefficients.ofB)
  }

  /// `Σ p_u A_u` and `Σ p_u B_u`, summed in Float64.
  init(averaging updates: LayerUpdates) {
    self.init(combining: updates, CombinationCoefficients(ofB: updates.weights, ofA: updates.weights))
  }

  init(_ layer: AggregatedLayer) {
    let layer = layer.withoutCore
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
  let isUniform = terms.allSatisfy {
    $0.rows == sum.rows && $0.columns == sum.columns && $0.stride == sum.columns
  }
  sum.withMutableView { sum in
    if isUniform { return accumulate(coefficients, terms, into: sum) }
    for (term, coefficient) in zip(terms, coefficients) { accumulate(coefficient, term, into: sum) }
  }
  return sum
}

/// The same sums for terms without gaps, part by part: a part of the target stays in the first cache while all
/// terms are added, two at a time.
private func accumulate(
  _ factors: [Double], _ terms: [MatrixView<Float>], into sum: MutableMatrixView<Double>
) {
  let (count, part) = (sum.rows * sum.columns, 1024)
  for start in stride(from: 0, to: count, by: part) {
    let (size, target) = (min(part, count - start), sum.base + start)
    for index in stride(from: 0, to: terms.count - 1, by: 2) {
      let (first, second) = (terms[index].base + start, terms[index + 1].base + start)
      let (p, q) = (factors[index], factors[index + 1])
      for position in 0..<size {
        target[position] = (target[position] + p * Double(first[position])) + q * Double(second[position])
      }
    }
    if let last = terms.last, !terms.count.isMultiple(of: 2) {
      let (source, p) = (last.base + start, factors[terms.count - 1])
      for position in 0..<size { target[position] += p * Double(source[position]) }
    }
  }
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
