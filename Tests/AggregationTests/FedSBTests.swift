import Aggregation
import LinearAlgebra
import Testing

@Suite struct FedSBTests {
  @Test(arguments: CohortShape.all) func theMeanOfTheCoresIsTheIdeal(shape: CohortShape) throws {
    let cohort = Cohort(shape, spread: 1, seed: 121).suited(to: FedSB())
    let layer = try cohort.aggregated(by: FedSB())
    #expect(layer.a == cohort.a[0] && layer.b == cohort.b[0] && layer.baseUpdate == nil)
    let core = try #require(layer.core)
    #expect(core.elements == denseSum(cohort.core, cohort.weights).elements.map { Float($0) })
    let dense = DenseReference(cohort)
    #expect(dense.rho(b: layer.b.inDouble, a: denseProduct(core.inDouble, layer.a.inDouble)) < 1e-6)
    let diagnostics = try cohort.diagnosed(layer)
    #expect(abs(diagnostics.idealNorm / norm(dense.ideal) - 1) < 1e-12)
    #expect(diagnostics.rho < 1e-6 && diagnostics.rhoFedIT < 1e-6 && diagnostics.closedGap == nil)
  }

  /// The figures of updates with cores are those of the same updates as pairs.
  @Test(arguments: CohortShape.all) func aCoreBelongsToTheUpdate(shape: CohortShape) throws {
    let cohort = Cohort(shape, spread: 1, seed: 122).suited(to: FedSB())
    let stranger = Cohort(shape, spread: 1, seed: 123)
    let layer = AggregatedLayer(a: stranger.a[0], b: stranger.b[0], core: cohort.core[0])
    let pair = layer.applied
    let dense = DenseReference(cohort)
    let diagnostics = try cohort.diagnosed(layer)
    #expect(abs(diagnostics.rho - dense.rho(b: pair.b, a: pair.a)) < 1e-9 * max(1, diagnostics.rho))
    #expect(pair.core == nil && pair.a != layer.a)
    let ideal = try cohort.withUpdates { IdealUpdate($0) }
    #expect(dense.rho(b: ideal.b, a: ideal.a) < 1e-6)
  }

  @Test func factorsThatDifferAreRefused() {
    let cohort = Cohort(CohortShape.all[1], spread: 1, seed: 124).suited(to: FedSB())
    var (unevenA, unevenB) = (cohort, cohort)
    unevenA.a[2][0, 1] += 1e-3
    unevenB.b[4][3, 2] += 1e-3
    for (uneven, client, factor) in [(unevenA, 2, FactorName.a), (unevenB, 4, .b)] {
      #expect(throws: AggregationError.frozenFactorDiffers(rule: "fed-sb", client: client, factor: factor)) {
        try uneven.aggregated(by: FedSB())
      }
    }
  }

  @Test func updatesWithoutCoresAreRefused() {
    let cohort = Cohort(CohortShape.all[1], spread: 1, seed: 125)
    #expect(throws: AggregationError.noCore(rule: "fed-sb")) { try cohort.aggregated(by: FedSB()) }
  }

  @Test func coresMustFit() {
    let cohort = Cohort(CohortShape.all[1], spread: 1, seed: 126).suited(to: FedSB())
    let square = LayerShape(outputs: 3, inputs: 3)
    var wide = cohort
    wide.core[1] = Matrix(rows: 3, columns: 4)
    var missing = cohort
    missing.core.removeLast()
    var broken = cohort
    broken.core[3][2, 2] = .nan
    for (bad, error) in [
      (wide, AggregationError.core(client: 1, expected: square, found: LayerShape(outputs: 3, inputs: 4))),
      (missing, .core(client: 4, expected: square, found: nil)),
      (broken, .notFinite(client: 3, factor: .core)),
    ] { #expect(throws: error) { try bad.withUpdates { _ in } } }
    let text = AggregationError.core(client: 4, expected: square, found: nil).description
    #expect(text == "client 4: expected a core 3×3, found none")
  }
}
