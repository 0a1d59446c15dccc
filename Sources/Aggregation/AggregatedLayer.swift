public import LinearAlgebra

/// What the server sends back for one layer, and what it learned on the way.
public struct AggregatedLayer: Sendable, Equatable {
  /// adapterRank × inputs; a client with a smaller rank gets the leading rows.
  public let a: Matrix<Float>
  /// outputs × adapterRank; a client with a smaller rank gets the leading columns.
  public let b: Matrix<Float>
  /// adapterRank × adapterRank, between `b` and `a`, where the rule has one.
  public let core: Matrix<Float>?
  /// The scalar coefficients, where the rule has them. They stay on the server.
  public let coefficients: CombinationCoefficients?
  /// Sweeps of an iteration, where the rule iterates.
  public let sweeps: Int?
  /// What is added to the base weight, where the plan says so.
  public let baseUpdate: LowRankUpdate?

  public init(
    a: Matrix<Float>, b: Matrix<Float>, core: Matrix<Float>? = nil,
    coefficients: CombinationCoefficients? = nil, sweeps: Int? = nil, baseUpdate: LowRankUpdate? = nil
  ) {
    self.a = a
    self.b = b
    self.core = core
    self.coefficients = coefficients
    self.sweeps = sweeps
    self.baseUpdate = baseUpdate
  }
}

extension AggregatedLayer {
  /// What the round changes of `W + s b a`, as one pair: the factors and the base update side by side, a core
  /// within `a`.
  ///
  /// `diagnose` of it measures a rule with a base change; without one it is the layer itself.
  public var applied: AggregatedLayer {
    guard let baseUpdate else { return withoutCore }
    return AggregatedLayer(
      a: Matrix(stacking: [a, baseUpdate.a]),
      b: Matrix(stacking: [b.transposed, baseUpdate.b.transposed]).transposed,
      coefficients: coefficients, sweeps: sweeps)
  }
}

extension AggregatedLayer {
  /// The layer as one pair: `core a` in place of `a`.
  var withoutCore: AggregatedLayer {
    guard let core else { return self }
    return AggregatedLayer(a: product(core, .asStored, a, .asStored), b: b)
  }
}

extension Matrix {
  /// Matrices of one width above each other.
  fileprivate init(stacking parts: [Matrix]) {
    self.init(
      rows: parts.reduce(0) { $0 + $1.rows }, columns: parts[0].columns,
      elements: parts.flatMap(\.elements))
  }
}
