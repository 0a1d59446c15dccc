internal import LinearAlgebra

/// FLoRA-NA: `b = Σ P_u B_u` and `a = Σ Q_u A_u` with the coefficients that bring `b a` closest to the ideal
/// update `Σ p_u B_u A_u`. Source: arXiv 2509.26399.
///
/// Products of the factors → coefficients → combination; no outputs × inputs matrix is formed. Never farther from the ideal than the averages, as `diagnose` measures both once they
/// are rounded to Float32.
public struct FloraNA: AggregationRule {
  public init() {}

  public var name: String { "florana" }

  public var reasonForOneAdapterRank: String? {
    "its scalar coefficients add up factors of one shape; florana-matrix takes different ones"
  }

  public func aggregate(_ updates: LayerUpdates) throws -> AggregatedLayer {
    let rank = try updates.uniformAdapterRank(for: self)
    guard rank > 0 else { return averaged(updates, sweeps: 0) }
    let form = EstimatorForm.cheapest(
      clients: updates.clients.count, adapterRank: rank, shape: updates.shape)
    let isLarge = form.isLarge(clients: updates.clients.count, adapterRank: rank, shape: updates.shape)
    if isLarge, let estimate = try Estimate<Float>(updates, form), estimate.isResolved {
      return estimate.layer
    }
    return try Estimate<Double>(updates, form)?.layer ?? averaged(updates, sweeps: 0)
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
  init?(_ updates: LayerUpdates, _ form: EstimatorForm) throws {
    let factors = CentredFactors<Scalar>(updates)
    switch form {
    case .gram: try self.init(updates, factors, GramProducts(factors))
    case .factored: try self.init(updates, factors, FactoredProducts(factors))
    }
  }

  private init?(
    _ updates: LayerUpdates, _ factors: CentredFactors<Scalar>, _ products: some FactorProducts
  ) throws {
    var search = CoefficientSearch(
      products, weights: updates.weights, endsEarly: Scalar.self == Float.self)
    // Below 1e-8 of ‖W*‖ the rounding of the factors is the larger error.
    guard search.averageObjective > 1e-16 * search.idealSquare else { return nil }
    let best = try knownBestState(&search)
    let start = search.averageObjective
    guard best.objective < start else { return nil }
    isResolved = best.objective > 1e-3 * start
    let factor = search.balance(best)
    let (found, losses) = combined(
      updates, search.clientCoefficients(best).rebalanced(by: factor), sweeps: best.sweeps)
    let isClear = start - best.objective > 2 * leastGain * start
    if isClear, search.survivesRounding(best, scaledBy: factor, losses: losses, shape: updates.shape) {
      layer = found
    } else {
      let gain = -roundedGain(of: found, over: FactorPair(averaging: updates), factors)
      layer = gain > 2 * leastGain * start ? found : averaged(updates, sweeps: best.sweeps)
    }
  }
}

/// Smaller relative differences are rounding, which must not choose.
private let leastGain = 1e-6

/// The best state; where the search's objective is all uncertainty there, the one of a search that measures it.
private func knownBestState<Products>(
  _ search: inout CoefficientSearch<Products>
) throws -> CoefficientSearch<Products>.State {
  let state = try bestState(search)
  guard state.objective < search.uncertainty else { return state }
  search = search.measured
  return try bestState(search)
}

/// The lower of the two descents. Both mostly end in the same minimum: rounding must not choose, so the second
/// has to be lower by more than the searches' own accuracy. It is pursued beyond that accuracy only where it is.
private func bestState<Products>(
  _ search: CoefficientSearch<Products>
) throws -> CoefficientSearch<Products>.State {
  let first = try search.descend(from: search.average)
  guard let start = try search.spectralStart() else { return first }
  let second = try search.descend(from: start, tolerance: leastGain)
  let least = leastGain * search.known(first.objective)
  return second.objective < first.objective - least ? try search.descend(from: second) : first
}

private func combined(
  _ updates: LayerUpdates, _ coefficients: CombinationCoefficients, sweeps: Int
) -> (layer: AggregatedLayer, losses: PairFigures) {
  let b = roundedCombination(updates.clients.map(\.b), coefficients.ofB)
  let a = roundedCombination(updates.clients.map(\.a), coefficients.ofA)
  let layer = AggregatedLayer(a: a.matrix, b: b.matrix, coefficients: coefficients, sweeps: sweeps)
  return (layer, PairFigures(b: b.loss, a: a.loss))
}

extension CoefficientSearch {
  fileprivate func clientCoefficients(_ state: State) -> CombinationCoefficients {
    CombinationCoefficients(
      ofB: Aggregation.clientCoefficients(state.left, weights),
      ofA: Aggregation.clientCoefficients(state.right, weights))
  }

  /// What `B̂` is multiplied with and `Â` divided by to have `‖B̂‖/‖Â‖` of the averages (1 where one of them
  /// vanishes) and the averages' sign: the same product, and what the clients' optimiser sees does not jump.
  fileprivate func balance(_ state: State) -> Double {
    let proportion = normRatio(state).map { (normRatio(average) ?? 1) / $0 } ?? 1
    let factor = proportion.squareRoot()
    let (b, a) = (innerProductWithAverage(state, .left), innerProductWithAverage(state, .right))
    return factor * b + a / factor < 0 ? -factor : factor
  }

  /// `‖b‖/‖a‖`, or `nil` where one of them vanishes.
  private func normRatio(_ state: State) -> Double? {
    let (b, a) = (normSquare(state, .left), normSquare(state, .right))
    return a > 0 && b > 0 ? (b / a).squareRoot() : nil
  }
}

/// `P_u = (1 + ξ) p_u + x_u − p_u Σ x` from the changes (ξ, x) against the average: the same product, since
/// the weighted differences sum to zero.
private func clientCoefficients(_ changes: [Double], _ weights: [Double]) -> [Double] {
  let shift = changes[0] - changes.dropFirst().reduce(0, +)
  return zip(changes.dropFirst(), weights).map { $1 + $0 + shift * $1 }
}
