internal import LinearAlgebra

/// LoRA-FAIR: the average `a`, and `b = B̄ + ΔB` with the ΔB that minimises
/// `‖W* − (B̄ + ΔB) a‖² + λ ‖ΔB‖²`. Source: arXiv 2411.14961.
///
/// The minimiser is `ΔB = (W* − B̄ a) aᵀ (a aᵀ + λ I)⁻¹`: r×r equations. λ is absolute and to be compared
/// with the eigenvalues of `a aᵀ`: at PEFT's start of `a` those are near 1/3, so that the default of 0.01
/// takes a few hundredths off the correction. With λ = 0 the smallest ΔB of the minimisers is taken.
public struct LoRAFair: AggregationRule {
  /// λ ≥ 0
  public let regularization: Double

  public init(regularization: Double = 0.01) {
    precondition(
      regularization >= 0 && regularization.isFinite, "a regularization of \(regularization)")
    self.regularization = regularization
  }

  public var name: String { "lora-fair" }

  public func aggregate(_ updates: LayerUpdates) throws -> AggregatedLayer {
    _ = try updates.uniformAdapterRank(for: self)
    var pair = FactorPair(averaging: updates)
    let a = Matrix<Float>(rounding: pair.a)
    // The clients get the rounded factor: the correction is made for that one.
    pair.a = a.withView { Matrix<Double>($0) }
    pair.b += try correction(to: pair, updates)
    return AggregatedLayer(a: a, b: Matrix(rounding: pair.b))
  }

  private func correction(to average: FactorPair, _ updates: LayerUpdates) throws -> Matrix<Double> {
    let moment = average.a.withView { gramMatrix($0) }
    let eigen = try moment.withView { try symmetricEigen($0) }
    var coordinates = product(missingImage(updates, average), .asStored, eigen.vectors, .asStored)
    let limit = 1e-12 * (eigen.values.last ?? 0)
    for (column, value) in eigen.values.enumerated() {
      let factor = value > limit ? 1 / (value + regularization) : 0
      for row in 0..<coordinates.rows { coordinates[row, column] *= factor }
    }
    return product(coordinates, .asStored, eigen.vectors, .transposed)
  }
}

/// outputs × r: `(W* − B̄ a) aᵀ = Σ p_u (B_u − B̄) ((A_u − a) aᵀ)`, from differences so that nothing cancels.
private func missingImage(_ updates: LayerUpdates, _ average: FactorPair) -> Matrix<Double> {
  var sum = Matrix<Double>(rows: average.b.rows, columns: average.b.columns)
  for (client, weight) in zip(updates.clients, updates.weights) {
    let image = product(
      difference(client.a, average.a, scaledBy: weight), .asStored, average.a, .transposed)
    sum += product(difference(client.b, average.b, scaledBy: 1), .asStored, image, .asStored)
  }
  return sum
}

/// `scale · (factor − average)`
private func difference(
  _ factor: MatrixView<Float>, _ average: Matrix<Double>, scaledBy scale: Double
) -> Matrix<Double> {
  var result = Matrix<Double>(factor)
  for index in result.elements.indices {
    result.elements[index] = scale * (result.elements[index] - average.elements[index])
  }
  return result
}
