internal import LinearAlgebra

/// How far one layer's aggregate is from the ideal update, and the two ends it lies between.
///
/// Norms, not only ratios, so that a round's figures over all layers can be formed.
public struct LayerDiagnostics: Sendable, Equatable {
  /// `‖W*‖_F`
  public var idealNorm: Double
  /// `‖W* − b a‖_F`
  public var errorNorm: Double
  /// The same for the averages of the cohort.
  public var errorNormFedIT: Double
  /// The least that any pair of the adapter's rank can reach.
  public var errorNormOptimum: Double

  public init(idealNorm: Double, errorNorm: Double, errorNormFedIT: Double, errorNormOptimum: Double) {
    self.idealNorm = idealNorm
    self.errorNorm = errorNorm
    self.errorNormFedIT = errorNormFedIT
    self.errorNormOptimum = errorNormOptimum
  }

  public var rho: Double { ratio(errorNorm) }
  public var rhoFedIT: Double { ratio(errorNormFedIT) }
  public var rhoOptimum: Double { ratio(errorNormOptimum) }

  /// `(ρ_FedIT − ρ) / (ρ_FedIT − ρ_opt)`; `nil` where the ends meet (to what Float32 factors resolve).
  public var closedGap: Double? {
    let gap = rhoFedIT - rhoOptimum
    return gap > 1e-7 ? (rhoFedIT - rho) / gap : nil
  }

  /// All layers of a round together: `√Σ‖·‖²` of each norm.
  public static func total(_ layers: [LayerDiagnostics]) -> LayerDiagnostics {
    func root(_ norm: KeyPath<LayerDiagnostics, Double>) -> Double {
      layers.reduce(0) { $0 + $1[keyPath: norm] * $1[keyPath: norm] }.squareRoot()
    }
    return LayerDiagnostics(
      idealNorm: root(\.idealNorm), errorNorm: root(\.errorNorm),
      errorNormFedIT: root(\.errorNormFedIT), errorNormOptimum: root(\.errorNormOptimum))
  }

  /// ρ is defined as 0 where the ideal update is.
  private func ratio(_ norm: Double) -> Double { idealNorm > 0 ? norm / idealNorm : 0 }
}

/// The distances of `aggregated` from the ideal update of `updates`.
///
/// The differences are formed in the coordinates of QR decompositions in Float64: they are right to about
/// 1e-15 of `‖W*‖`, where Gram matrices would lose half of the digits.
///
/// Cost, with n = Σ adapterRank: the QR decompositions take about `n² (outputs + inputs)` multiply-adds. ρ_opt takes
/// all singular values of a small core, min(n, outputs) × min(n, inputs); of a large one the leading directions by
/// block Krylov iteration and the norm of the rest.
public func diagnose(_ updates: LayerUpdates, _ aggregated: AggregatedLayer) throws -> LayerDiagnostics {
  try diagnose(updates, [aggregated])[0]
}

/// The same of several aggregates of one cohort; what does not depend on them is computed once.
public func diagnose(
  _ updates: LayerUpdates, _ aggregated: [AggregatedLayer]
) throws -> [LayerDiagnostics] {
  let distances = try MeasuredDistances(updates, aggregated)
  let idealNorm = distances.ideal.frobeniusNorm
  let errorNormOptimum = try tailNorm(distances.ideal, beyond: updates.largestAdapterRank)
  return distances.errorNorms.map { errorNorm in
    LayerDiagnostics(
      idealNorm: idealNorm, errorNorm: errorNorm, errorNormFedIT: distances.errorNormFedIT,
      errorNormOptimum: errorNormOptimum)
  }
}

/// `√Σ_{i>rank} σ_i²`
func tailNorm(_ matrix: Matrix<Double>, beyond rank: Int) throws -> Double {
  let side = min(matrix.rows, matrix.columns)
  if side > 16 * (rank + LeadingSubspace.oversampling),
    let space = try LeadingSubspace(
      of: LinearMap(matrix), rank: rank, accuracy: .measurement, sizeLimit: side / 4)
  {
    var rest = matrix
    rest.withMutableView { rest in
      space.basis.withView { basis in
        space.projection.withView {
          multiply(basis, .asStored, $0, .asStored, into: rest, alpha: -1, beta: 1)
        }
      }
    }
    return rest.frobeniusNorm
  }
  let tail = try matrix.withView { try singularValues($0) }.dropFirst(rank)
  return tail.reduce(0) { $0 + $1 * $1 }.squareRoot()
}

/// How far aggregates and the averages, all as rounded to Float32, are from the ideal update.
struct MeasuredDistances {
  /// `W*` in coordinates that keep its norm and singular values.
  let ideal: Matrix<Double>
  let errorNorms: [Double]
  let errorNormFedIT: Double

  init(_ updates: LayerUpdates, _ aggregated: [AggregatedLayer]) throws {
    let averages = FactorPair(averaging: updates).rounded
    var references = [FactorPair(averages)]
    // One pair twice would differ from itself by rounding: plain averaging has exactly its own distance.
    let positions = aggregated.map { layer in
      if layer.a == averages.a && layer.b == averages.b { return 0 }
      references.append(FactorPair(layer))
      return references.count - 1
    }
    let reduced = try ReducedUpdates(updates, references: references)
    ideal = reduced.ideal
    errorNorms = positions.map { reduced.errorNorm(ofReference: $0) }
    errorNormFedIT = reduced.errorNorm(ofReference: 0)
  }
}

/// The ideal update and some pairs of factors in common orthonormal coordinates, which keep all norms.
struct ReducedUpdates {
  /// `W*` in the coordinates.
  let ideal: Matrix<Double>
  private let products: [Matrix<Double>]

  init(_ updates: LayerUpdates, references: [FactorPair]) throws {
    let stacks = FactorStacks(updates)
    let left = try coordinates([stacks.b] + references.map(\.b))
    let right = try coordinates([stacks.a.transposed] + references.map(\.a.transposed))
    let cores = zip(left, right).map { product($0, .asStored, $1, .transposed) }
    ideal = cores[0]
    products = Array(cores.dropFirst())
  }

  /// `‖W* − b a‖_F` of the pair `references[index]`.
  func errorNorm(ofReference index: Int) -> Double {
    var error = ideal
    for position in error.elements.indices { error.elements[position] -= products[index].elements[position] }
    return error.frobeniusNorm
  }
}

/// The columns of matrices of one height in the coordinates of a common orthonormal basis.
private func coordinates(_ matrices: [Matrix<Double>]) throws -> [Matrix<Double>] {
  let height = matrices[0].rows
  let width = matrices.reduce(0) { $0 + $1.columns }
  guard width < height else { return matrices }
  var joined = Matrix<Double>(rows: height, columns: width)
  var offsets = [0]
  for matrix in matrices {
    matrix.withView { joined.place($0, scaledBy: 1, row: 0, column: offsets[offsets.count - 1]) }
    offsets.append(offsets[offsets.count - 1] + matrix.columns)
  }
  let factor = try joined.withView { try triangularFactor($0) }
  return factor.withView { factor in
    zip(offsets, offsets.dropFirst()).map { Matrix(factor.columns($0..<$1)) }
  }
}
