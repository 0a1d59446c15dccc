internal import LinearAlgebra

/// What the search for coefficients needs to know of the centred blocks `b_v`, `a_w` (v, w = 0…U): inner
/// products and nothing else. Both sides obey the same formulas, with `B` transposed.
///
/// `G_vw` stands for the r×r block `b_vᵀ b_w` (left) or `a_v a_wᵀ` (right).
protocol FactorProducts {
  var clientCount: Int { get }
  var adapterRank: Int { get }
  /// (U+1)×(U+1): `C_vw = ⟨E₀, b_v a_w⟩`, or `nil` where only its products with vectors are to be had.
  var correlation: Matrix<Double>? { get }
  /// `‖E₀‖²`, the averages' objective.
  var averageObjective: Double { get }
  /// The standard deviation of `averageObjective` where it is an estimate, 0 where it is measured.
  var averageObjectiveDeviation: Double { get }
  /// The same products with `averageObjective` measured, whatever that takes.
  var measured: Self { get }
  /// (U+1)×r²: row v is `G_v0`.
  func meanProducts(_ side: Side) -> Matrix<Double>
  /// `Σ_w C_vw y_w` for the left side, `Σ_v C_vw y_v` for the right.
  func correlation(_ side: Side, with combination: [Double]) -> [Double]
  /// `‖E₀ Âᵀ‖` with `Â = Σ_w y_w a_w` for the left side, `‖B̂ᵀ E₀‖` with `B̂ = Σ_v y_v b_v` for the right.
  func errorImageNorm(_ side: Side, _ combination: [Double]) -> Double
  /// r×r: `Σ_vw y_v y_w G_vw`, the Gram matrix of `Σ_v y_v b_v`.
  func moment(_ side: Side, _ combination: [Double]) -> Matrix<Double>
  /// The moment of the other side's changes y, and the correlations of this side with the mean and y together.
  func answers(_ side: Side, changes: [Double]) -> (moment: Matrix<Double>, correlations: [Double])
  /// (U+1)×(U+1): `⟨G_vw, moment⟩` for a symmetric r×r moment; the curvature of the objective.
  func curvature(_ side: Side, moment: Matrix<Double>) throws -> Matrix<Double>
}

extension FactorProducts {
  var blockCount: Int { clientCount + 1 }

  var averageObjectiveDeviation: Double { 0 }

  var measured: Self { self }

  func answers(_ side: Side, changes: [Double]) -> (moment: Matrix<Double>, correlations: [Double]) {
    (moment(side.other, changes), correlation(side, with: zip(mean, changes).map { $0 + $1 }))
  }

  /// The coefficients of the mean alone.
  var mean: [Double] { [1] + [Double](repeating: 0, count: clientCount) }
}

extension Matrix {
  /// The same numbers in another shape.
  func reshaped(rows: Int, columns: Int) -> Matrix {
    Matrix(rows: rows, columns: columns, elements: elements)
  }
}
