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

  public var reasonForOneAdapterRank: String? {
    "its scalar coefficients add up factors of one shape; florana-matrix takes different ones"
  }

  public func aggregate(_ updates: LayerUpdates) throws -> AggregatedLayer {
    let rank = try updates.uniformAdapterRank(for: self)
    let average = FactorPair(averaging: updates)
    guard rank > 0 else { return averaged(average, updates, sweeps: 0) }
    let form = EstimatorForm.cheapest(
      clients: updates.clients.count, adapterRank: rank, shape: updates.shape)
    let isLarge = form.isLarge(clients: updates.clients.count, adapterRank: rank, shape: updates.shape)
    if isLarge, let estimate = try Estimate<Float>(updates, average, form), estimate.isResolved {
      return estimate.layer
    }
    return try Estimate<Double>(updates, average, form)?.layer ?? averaged(average, updates, sweeps: 0)
  }
}

/// An estimate from products of centred factors in `Scalar`.
private struct Estimate<Scalar: LAPACKScalar> {
  let layer: AggregatedLayer
  /// Whether the objective that was reached is large beside what its terms lose by rounding to `Scalar`.
  ///
  /// Products in Float32 keep the terms to about 1e-7, and the objective is their difference. It is small beside
  /// them where clients have different multiples of common factors: the averages are far off and other
  /// coefficients are exact.
  let isResolved: Bool

  /// `nil` where nothing beats the averages.
  init?(_ updates: LayerUpdates, _ average: FactorPair, _ form: EstimatorForm) throws {
    let factors = CentredFactors<Scalar>(updates, averages: average)
    switch form {
    case .gram: try self.init(updates, average, factors, GramProducts(factors))
    case .factored: try self.init(updates, average, factors, FactoredProducts(factors))
    }
  }

  private init?(
    _ updates: LayerUpdates, _ average: FactorPair, _ factors: CentredFactors<Scalar>,
    _ products: some FactorProducts
  ) throws {
    let search = CoefficientSearch(products, weights: updates.weights)
    let start = search.averageObjective
    // Below 1e-8 of ‖W*‖ the rounding of the factors is the larger error.
    guard start > 1e-16 * search.idealSquare else { return nil }
    let best = try bestState(search)
    guard best.objective < start else { return nil }
    isResolved = best.objective > 1e-3 * start
    let found = combined(updates, search.clientCoefficients(best), average, sweeps: best.sweeps)
    let doubt = doubtfulPart * (found.pair.roundingScale + average.roundingScale)
    guard start.squareRoot() - best.objective.squareRoot() <= doubt else {
      layer = found.layer
      return
    }
    let gain = -roundedGain(of: found.layer, over: average, factors)
    layer = gain > 2 * leastGain * start ? found.layer : averaged(average, updates, sweeps: best.sweeps)
  }
}

/// Smaller relative differences are rounding, which must not choose.
private let leastGain = 1e-6

/// Rounding both factors to Float32 moves a product by at most 2⁻²³ of the product of their norms. Four times
/// that also covers the rounding of the search's own objective. Gains below it are measured.
private let doubtfulPart = 0x1p-21

/// The lower of the two descents. Both mostly end in the same minimum: rounding must not choose, so the second
/// has to be lower by more than the searches' own accuracy.
private func bestState<Products>(
  _ search: CoefficientSearch<Products>
) throws -> CoefficientSearch<Products>.State {
  let first = try search.descend(from: search.average)
  guard let start = try search.spectralStart() else { return first }
  let second = try search.descend(from: start)
  return second.objective < first.objective * (1 - leastGain) ? second : first
}

private func combined(
  _ updates: LayerUpdates, _ coefficients: CombinationCoefficients, _ average: FactorPair, sweeps: Int
) -> (pair: FactorPair, layer: AggregatedLayer) {
  let (pair, coefficients) = balanced(updates, coefficients, average)
  let layer = AggregatedLayer(
    a: Matrix(rounding: pair.a), b: Matrix(rounding: pair.b), coefficients: coefficients, sweeps: sweeps)
  return (pair, layer)
}

extension CoefficientSearch {
  fileprivate func clientCoefficients(_ state: State) -> CombinationCoefficients {
    CombinationCoefficients(
      ofB: Aggregation.clientCoefficients(state.left, weights),
      ofA: Aggregation.clientCoefficients(state.right, weights))
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
