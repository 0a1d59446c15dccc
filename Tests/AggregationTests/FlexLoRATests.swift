import Aggregation
import LinearAlgebra
import Testing

@Suite struct FlexLoRATests {
  @Test(arguments: CohortShape.all) func theProductIsTheBestOfItsRank(shape: CohortShape) throws {
    let cohort = Cohort(shape, spread: 1, seed: 91)
    let dense = DenseReference(cohort)
    let layer = try cohort.aggregated(by: FlexLoRA())
    let optimum = try dense.rhoOptimum(adapterRank: shape.adapterRank)
    #expect(dense.rho(b: layer.b, a: layer.a) <= optimum * (1 + 1e-5) + 1e-6)
  }

  /// `b` has orthogonal columns as long as the singular values of `W*`, `a` orthonormal rows.
  @Test(arguments: CohortShape.all) func theSingularValuesAreInB(shape: CohortShape) throws {
    let cohort = Cohort(shape, spread: 1, seed: 92)
    let values = try DenseReference(cohort).ideal.withView { try singularValues($0) }
    let layer = try cohort.aggregated(by: FlexLoRA())
    let (a, b) = (layer.a.inDouble, layer.b.inDouble)
    let ofA = denseProduct(a, a.transposed)
    let ofB = denseProduct(b.transposed, b)
    for i in 0..<min(shape.adapterRank, values.count) {
      #expect(abs(ofB[i, i].squareRoot() / values[i] - 1) < 1e-5)
      for j in 0..<min(shape.adapterRank, values.count) {
        #expect(abs(ofA[i, j] - (i == j ? 1 : 0)) < 1e-5)
        if i != j { #expect(abs(ofB[i, j]) < 1e-5 * values[0] * values[0]) }
      }
    }
  }

  @Test func everyClientsCutIsTheBestOfItsRank() throws {
    let cohort = Cohort(adapterRanks: [3, 1, 5, 2], outputs: 19, inputs: 11, seed: 93)
    let dense = DenseReference(cohort)
    let layer = try cohort.aggregated(by: FlexLoRA())
    #expect(layer.a.rows == 5 && layer.b.columns == 5)
    for rank in 1...5 {
      let b = layer.b.withView { Matrix($0.columns(0..<rank)) }
      let a = layer.a.withView { Matrix($0.rows(0..<rank)) }
      #expect(try abs(dense.rho(b: b, a: a) - dense.rhoOptimum(adapterRank: rank)) < 1e-6)
    }
  }

  /// One direction of three is used: the other two carry nothing but must stay trainable.
  @Test func unusedDirectionsKeepTheAverageOfA() throws {
    var cohort = Cohort(CohortShape.all[1], spread: 1, seed: 94).repeatingFirst()
    for u in 0..<cohort.count {
      for row in 0..<40 { (cohort.b[u][row, 1], cohort.b[u][row, 2]) = (0, 0) }
    }
    let layer = try cohort.aggregated(by: FlexLoRA())
    #expect(DenseReference(cohort).rho(b: layer.b, a: layer.a) < 1e-6)
    for row in 1...2 {
      for column in 0..<17 { #expect(layer.a[row, column] == cohort.a[0][row, column]) }
    }
  }
}
