@testable import Aggregation
import LinearAlgebra
import Randomness
import Testing

/// What rounding to Float32 does to the estimate, against rounding by brute force.
@Suite struct RoundingTests {
  @Test(arguments: CohortShape.all) func aCombinationKnowsWhatRoundingTook(shape: CohortShape) throws {
    let cohort = Cohort(shape, spread: 0.5, seed: 61)
    let sum = denseSum(cohort.a, cohort.weights)
    let rounded = try cohort.withUpdates { roundedCombination($0.clients.map(\.a), cohort.weights) }
    #expect(zip(rounded.matrix.elements, sum.elements).allSatisfy { abs(Double($0) - $1) <= 6e-8 * abs($1) })
    let loss = norm(difference(rounded.matrix.inDouble, sum))
    #expect(abs(rounded.loss - loss) <= 1e-6 * loss)
  }

  @Test(arguments: CohortShape.all, [1.0, 1e-2])
  func theGainIsTheDenseDifference(shape: CohortShape, spread: Double) throws {
    let cohort = Cohort(shape, spread: spread, seed: 62)
    let layer = try cohort.aggregated(by: FloraNA())
    let average = try cohort.aggregated(by: FedIT())
    let dense = DenseReference(cohort)
    func square(_ layer: AggregatedLayer) -> Double {
      let error = norm(difference(dense.ideal, denseProduct(layer.b.inDouble, layer.a.inDouble)))
      return error * error
    }
    let gain = try cohort.withUpdates { (updates) throws in
      roundedGain(of: layer, over: FactorPair(averaging: updates), CentredFactors<Double>(updates))
    }
    #expect(abs(gain - (square(layer) - square(average))) <= 1e-9 * square(average))
  }

  /// Where the bound says that a gain survives, no rounding of the pair nor of the averages, each number up or
  /// down as it likes, undoes it.
  @Test(arguments: [1e-6, 1e-5, 1e-4, 1e-3, 1e-1], 1...3)
  func noRoundingUndoesWhatTheBoundPasses(spread: Double, seed: Int) throws {
    let cohort = Cohort(CohortShape.all[2], spread: spread, seed: seed)
    var random = stream(seed, part: 6)
    try cohort.withUpdates { (updates) throws in
      let search = CoefficientSearch(
        GramProducts(CentredFactors<Double>(updates)), weights: cohort.weights)
      let best = try search.descend(from: search.average)
      let (ofB, ofA) = (cohort.clients(search.full(best, .left)), cohort.clients(search.full(best, .right)))
      let (b, a) = (denseSum(cohort.b, ofB), denseSum(cohort.a, ofA))
      let losses = PairFigures(b: 0x1p-24 * norm(b), a: 0x1p-24 * norm(a))
      let survives = search.survivesRounding(best, scaledBy: 1, losses: losses, shape: updates.shape)
      if spread >= 1e-1 { #expect(survives) }
      if spread <= 1e-6 { #expect(!survives) }
      guard survives else { return }
      let dense = DenseReference(cohort)
      let means = (denseSum(cohort.b, cohort.weights), denseSum(cohort.a, cohort.weights))
      for _ in 0..<20 {
        let found = dense.rho(b: shaken(b, &random), a: shaken(a, &random))
        #expect(found < dense.rho(b: shaken(means.0, &random), a: shaken(means.1, &random)))
      }
    }
  }

  /// Each number moved by half a unit in the last place, relative to its size.
  private func shaken(_ matrix: Matrix<Double>, _ random: inout RandomStream) -> Matrix<Double> {
    var result = matrix
    for index in matrix.elements.indices {
      result.elements[index] *= 1 + (random.uniformInteger(below: 2) == 0 ? 0x1p-24 : -0x1p-24)
    }
    return result
  }
}

extension Cohort {
  /// Coefficients of the mean and the differences as those of the clients.
  fileprivate func clients(_ full: [Double]) -> [Double] {
    let sum = full[0] - full.dropFirst().reduce(0, +)
    return zip(full.dropFirst(), weights).map { $0 + sum * $1 }
  }
}
