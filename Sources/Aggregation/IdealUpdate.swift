public import LinearAlgebra

/// The ideal update `W* = Σ p_u B_u A_u` in factored form: what the oracle applies.
///
/// `W* = b · a` with the clients' factors side by side, each scaled by `√p_u`: no outputs × inputs matrix
/// is formed.
public struct IdealUpdate: Sendable {
  /// Σ adapterRank × inputs
  public let a: Matrix<Float>
  /// outputs × Σ adapterRank
  public let b: Matrix<Float>

  public init(_ updates: LayerUpdates) {
    let stacks = FactorStacks(updates)
    a = Matrix(rounding: stacks.a)
    b = Matrix(rounding: stacks.b)
  }

  /// The floats that would have to be sent to apply it: factored or dense, whichever is less.
  public var wireFloatCount: Int { min(b.rows * a.columns, a.elements.count + b.elements.count) }
}
