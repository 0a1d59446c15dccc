import Aggregation
import LinearAlgebra
import Testing

@Suite struct SharedFactorTests {
  @Test(arguments: CohortShape.all) func aCommonAMakesAveragingExact(shape: CohortShape) throws {
    let cohort = Cohort(shape, spread: 1, seed: 72).suited(to: FFALoRA())
    for rule in [FFALoRA(), RoLoRA()] as [any AggregationRule] {
      let layer = try cohort.aggregated(by: rule)
      #expect(layer.a == cohort.a[0])
      #expect(layer.b.elements == denseSum(cohort.b, cohort.weights).elements.map { Float($0) })
      #expect(layer.baseUpdate == nil)
      #expect(DenseReference(cohort).rho(b: layer.b, a: layer.a) < 1e-6)
    }
  }

  @Test(arguments: CohortShape.all) func evenRoundsOfRoLoRAAverageA(shape: CohortShape) throws {
    let cohort = Cohort(shape, spread: 1, seed: 73).suited(to: RoLoRA(), round: 2)
    let layer = try cohort.aggregated(by: RoLoRA(), round: 2)
    #expect(layer.b == cohort.b[0])
    #expect(layer.a.elements == denseSum(cohort.a, cohort.weights).elements.map { Float($0) })
    #expect(DenseReference(cohort).rho(b: layer.b, a: layer.a) < 1e-6)
  }

  @Test func theSignOfAFrozenZeroStays() throws {
    var cohort = Cohort(CohortShape.all[1], spread: 1, seed: 74).suited(to: FFALoRA())
    for u in 0..<cohort.count { cohort.a[u][1, 2] = -0.0 }
    let layer = try cohort.aggregated(by: FFALoRA())
    #expect(layer.a.elements.map(\.bitPattern) == cohort.a[0].elements.map(\.bitPattern))
  }

  /// Averaging `b` beside one client's `a` would silently be wrong.
  @Test func frozenFactorsThatDifferAreRefused() {
    var cohort = Cohort(CohortShape.all[1], spread: 1, seed: 75).suited(to: FFALoRA())
    cohort.a[3][2, 5] += 1e-3
    let uneven = cohort
    for rule in [FFALoRA(), RoLoRA()] as [any AggregationRule] {
      #expect(throws: AggregationError.frozenFactorDiffers(rule: rule.name, client: 3, factor: .a)) {
        try uneven.aggregated(by: rule)
      }
    }
    #expect(throws: AggregationError.frozenFactorDiffers(rule: "rolora", client: 1, factor: .b)) {
      try uneven.aggregated(by: RoLoRA(), round: 2)
    }
  }

  /// What the clients keep must not reach what they share.
  @Test func fedSAShiftsNothingOfBIntoA() throws {
    let cohort = Cohort(CohortShape.all[4], spread: 1, seed: 76)
    let layer = try cohort.aggregated(by: FedSALoRA())
    #expect(layer.a.elements == denseSum(cohort.a, cohort.weights).elements.map { Float($0) })
    var others = cohort
    others.b = Cohort(CohortShape.all[4], spread: 1, seed: 77).b
    #expect(try others.aggregated(by: FedSALoRA()).a == layer.a)
    #expect(layer.b.elements == denseSum(cohort.b, cohort.weights).elements.map { Float($0) })
  }
}
