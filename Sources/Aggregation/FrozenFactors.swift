internal import LinearAlgebra

extension LayerUpdates {
  /// The factor `a` that nobody trained, bit for bit; an error when the clients' differ.
  func frozenA(for rule: String) throws(AggregationError) -> Matrix<Float> {
    try common(.a, clients.map(\.a), rule)
  }

  /// The factor `b` that nobody trained, bit for bit; an error when the clients' differ.
  func frozenB(for rule: String) throws(AggregationError) -> Matrix<Float> {
    try common(.b, clients.map(\.b), rule)
  }

  private func common(
    _ factor: FactorName, _ views: [MatrixView<Float>], _ rule: String
  ) throws(AggregationError) -> Matrix<Float> {
    let first = Matrix(views[0])
    for (client, view) in views.enumerated().dropFirst() where Matrix(view) != first {
      throw .frozenFactorDiffers(rule: rule, client: client, factor: factor)
    }
    return first
  }
}

/// `Σ p_u F_u` of one factor, rounded to Float32 once.
func averaged(_ factors: [MatrixView<Float>], _ weights: [Double]) -> Matrix<Float> {
  Matrix(rounding: combination(factors, weights))
}
