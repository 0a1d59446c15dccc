import Aggregation
import LinearAlgebra
import Randomness
import Testing

@Suite struct LoRAFairTests {
  private func objective(_ cohort: Cohort, _ delta: Matrix<Double>, _ a: Matrix<Double>, _ lambda: Double)
    -> Double
  {
    var b = denseSum(cohort.b, cohort.weights)
    for index in b.elements.indices { b.elements[index] += delta.elements[index] }
    let error = norm(difference(DenseReference(cohort).ideal, denseProduct(b, a)))
    return error * error + lambda * norm(delta) * norm(delta)
  }

  /// The gradient `(W* − b a) aᵀ − λ ΔB` vanishes: the definition of the minimiser, which is unique for λ > 0.
  @Test(arguments: CohortShape.all, [0.01, 1.0, 25.0])
  func theGradientVanishes(shape: CohortShape, lambda: Double) throws {
    let cohort = Cohort(shape, spread: 1, seed: 101)
    let layer = try cohort.aggregated(by: LoRAFair(regularization: lambda))
    let (a, b) = (layer.a.inDouble, layer.b.inDouble)
    let delta = difference(b, denseSum(cohort.b, cohort.weights))
    let error = difference(DenseReference(cohort).ideal, denseProduct(b, a))
    var gradient = denseProduct(error, a.transposed)
    for index in gradient.elements.indices { gradient.elements[index] -= lambda * delta.elements[index] }
    let scale = norm(b) * (norm(a) * norm(a) + lambda)
    #expect(norm(gradient) < 1e-6 * scale)
    #expect(norm(delta) > 1e-3 || cohort.count == 1)
  }

  @Test func noSmallStepIsBetter() throws {
    let cohort = Cohort(CohortShape.all[2], spread: 1, seed: 102)
    let layer = try cohort.aggregated(by: LoRAFair())
    let (a, delta) = (layer.a.inDouble, difference(layer.b.inDouble, denseSum(cohort.b, cohort.weights)))
    let found = objective(cohort, delta, a, 0.01)
    var random = stream(102, part: 2)
    for _ in 0..<20 {
      var other = delta
      for index in other.elements.indices { other.elements[index] += 0.01 * random.normal() }
      #expect(objective(cohort, other, a, 0.01) > found)
    }
  }

  @Test(arguments: CohortShape.all) func isNeverFartherThanTheAverages(shape: CohortShape) throws {
    let cohort = Cohort(shape, spread: 0.5, seed: 103)
    let diagnostics = try cohort.diagnosed(cohort.aggregated(by: LoRAFair()))
    #expect(diagnostics.rho <= diagnostics.rhoFedIT + 1e-7)
    let layer = try cohort.aggregated(by: LoRAFair())
    #expect(layer.a == (try cohort.aggregated(by: FedIT())).a)
  }

  @Test func equalAndSingleClientsAreLeftAlone() throws {
    let equal = Cohort(CohortShape.all[1], spread: 1, seed: 104).repeatingFirst()
    let alone = Cohort(a: [equal.a[0]], b: [equal.b[0]], weights: [1])
    for cohort in [equal, alone] {
      let layer = try cohort.aggregated(by: LoRAFair())
      #expect(layer.a == cohort.a[0] && layer.b == cohort.b[0])
    }
  }

  /// Rows of `a` that depend on each other leave ΔB open without λ: the smallest is taken.
  @Test func dependentRowsWithoutRegularizationGiveTheSmallestCorrection() throws {
    var cohort = Cohort(CohortShape.all[1], spread: 1, seed: 105)
    for u in 0..<cohort.count {
      for column in 0..<17 { cohort.a[u][2, column] = cohort.a[u][0, column] }
    }
    let layer = try cohort.aggregated(by: LoRAFair(regularization: 0))
    let delta = difference(layer.b.inDouble, denseSum(cohort.b, cohort.weights))
    for row in 0..<40 { #expect(abs(delta[row, 0] - delta[row, 2]) < 1e-5) }
    let gentle = try cohort.aggregated(by: LoRAFair(regularization: 1e-6))
    #expect(norm(difference(gentle.b.inDouble, layer.b.inDouble)) < 1e-4 * norm(layer.b.inDouble))
  }
}
