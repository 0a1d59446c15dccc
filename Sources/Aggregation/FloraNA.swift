internal import LinearAlgebra

/// FLoRA-NA: `b = Σ P_u B_u` and `a = Σ Q_u A_u` with the coefficients that bring `b a` closest to the ideal
/// update `Σ p_u B_u A_u`. Source: arXiv 2509.26399.
///
/// Products of the factors → coefficients → combination; no outputs × inputs matrix is formed unless that
/// is the cheaper way. Never farther from the ideal than the averages, as `diagnose` measures both once they
/// are rounded to Float32.
public struct FloraNA: AggregationRule {
  public init() {}

  public var name: String { "florana" }

  public func aggregate(_ updates: LayerUpdates) throws -> AggregatedLayer {
    let rank = try updates.uniformAdapterRank(for: name)
    guard let found = try bestCoefficients(updates, adapterRank: rank) else {
      return averaged(updates, sweeps: 0)
    }
    let average = FactorPair(averaging: updates)
    let (pair, coefficients) = balanced(updates, found.coefficients, average)
    let layer = AggregatedLayer(
      a: Matrix(rounding: pair.a), b: Matrix(rounding: pair.b), coefficients: coefficients,
      sweeps: found.sweeps)
    let doubt = Self.doubtfulPart * (pair.roundingScale + average.roundingScale)
    guard found.gain <= doubt else { return layer }
    let distances = try MeasuredDistances(updates, layer)
    let isNearer = distances.errorNorm < distances.errorNormFedIT * (1 - Self.leastGain)
    return isNearer ? layer : averaged(updates, sweeps: found.sweeps)
  }

  /// Smaller relative differences are rounding, which must not choose.
  private static let leastGain = 1e-6

  /// Rounding both factors to Float32 moves a product by at most 2⁻²³ of the product of their norms. Four
  /// times that also covers the rounding of the search's own objective. Gains below it are measured.
  private static let doubtfulPart = 0x1p-21

  /// What a search found.
  private struct Finding {
    var coefficients: CombinationCoefficients
    var sweeps: Int
    /// How much nearer to the ideal than the averages, before rounding to Float32.
    var gain: Double
  }

  /// The better of the two starts, or `nil` when nothing beats the averages.
  private func bestCoefficients(_ updates: LayerUpdates, adapterRank: Int) throws -> Finding? {
    let factors = CentredFactors(updates, adapterRank: adapterRank)
    let search = CoefficientSearch(Self.products(factors, updates.shape), weights: updates.weights)
    let (average, ideal) = (search.averageObjective, search.idealSquare)
    // Below 1e-8 of ‖W*‖ the rounding of the factors is the larger error.
    guard average > 1e-16 * ideal else { return nil }
    let best = try bestState(search)
    guard best.objective < average else { return nil }
    let coefficients = CombinationCoefficients(
      ofB: clientCoefficients(best.left, updates.weights),
      ofA: clientCoefficients(best.right, updates.weights))
    return Finding(
      coefficients: coefficients, sweeps: best.sweeps,
      gain: average.squareRoot() - best.objective.squareRoot())
  }

  /// The lower of the two descents. Both mostly end in the same minimum: rounding must not choose, so
  /// the second has to be lower by more than the searches' own accuracy.
  private func bestState(_ search: CoefficientSearch) throws -> CoefficientSearch.State {
    let first = try search.descend(from: search.average)
    guard let start = try search.spectralStart() else { return first }
    let second = try search.descend(from: start)
    return second.objective < first.objective * (1 - Self.leastGain) ? second : first
  }

  private static func products(_ factors: CentredFactors, _ shape: LayerShape) -> any FactorProducts {
    let form = EstimatorForm.cheapest(
      clients: factors.clientCount, adapterRank: factors.adapterRank, shape: shape)
    return form == .gram ? GramProducts(factors) : FactoredProducts(factors)
  }
}

/// `P_u = (1 + ξ) p_u + x_u − p_u Σ x` from the changes (ξ, x) against the average: the same product, since
/// the weighted differences sum to zero.
private func clientCoefficients(_ changes: [Double], _ weights: [Double]) -> [Double] {
  let shift = changes[0] - changes.dropFirst().reduce(0, +)
  return zip(changes.dropFirst(), weights).map { $1 + $0 + shift * $1 }
}

/// The combination with its coefficients scaled to `‖b‖/‖a‖` of the averages (1 where one of them vanishes)
/// and with the sign on the averages' side: the same product, and what the clients' optimiser sees does not
/// jump.
private func balanced(
  _ updates: LayerUpdates, _ coefficients: CombinationCoefficients, _ average: FactorPair
) -> (FactorPair, CombinationCoefficients) {
  var found = FactorPair(combining: updates, coefficients)
  let proportion = found.normRatio.map { (average.normRatio ?? 1) / $0 } ?? 1
  var factor = proportion.squareRoot()
  if factor * innerProduct(found.b, average.b) + innerProduct(found.a, average.a) / factor < 0 {
    factor *= -1
  }
  found.rebalance(by: factor)
  return (found, coefficients.rebalanced(by: factor))
}

extension FactorPair {
  /// `‖b‖/‖a‖`, or `nil` where one of them vanishes.
  fileprivate var normRatio: Double? {
    let (b, a) = (b.frobeniusNorm, a.frobeniusNorm)
    return a > 0 && b > 0 ? b / a : nil
  }

  /// `‖b‖ ‖a‖`, the size that rounding is relative to.
  fileprivate var roundingScale: Double {
    func norm(_ matrix: Matrix<Double>) -> Double {
      // Below the least normal number Float32 rounds no more finely.
      matrix.frobeniusNorm + Double(Float.leastNormalMagnitude) * Double(matrix.elements.count).squareRoot()
    }
    return norm(b) * norm(a)
  }

  /// The same product from other norms.
  fileprivate mutating func rebalance(by factor: Double) {
    for index in a.elements.indices { a.elements[index] /= factor }
    for index in b.elements.indices { b.elements[index] *= factor }
  }
}
