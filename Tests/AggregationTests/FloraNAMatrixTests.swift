import Aggregation
import LinearAlgebra
import Randomness
import Testing

@Suite struct FloraNAMatrixTests {
  @Test(arguments: CohortShape.all, [1.0, 0.1])
  func reachesTheOptimum(shape: CohortShape, spread: Double) throws {
    let cohort = Cohort(shape, spread: spread, seed: 31)
    let layer = try cohort.aggregated(by: FloraNAMatrix())
    let dense = DenseReference(cohort)
    let rho = dense.rho(b: layer.b, a: layer.a)
    let optimum = try dense.rhoOptimum(adapterRank: shape.adapterRank)
    // Rounding the factors to Float32 moves the product by up to 1e-7 of its norm.
    #expect(rho <= optimum * (1 + 1e-5) + 1e-7)
    let diagnostics = try cohort.diagnosed(layer)
    #expect(abs(diagnostics.rhoOptimum - optimum) < 1e-12)
    #expect(abs(diagnostics.rho - rho) < 1e-12)
    if let gap = diagnostics.closedGap { #expect(abs(gap - 1) < 1e-4) }
  }

  /// Large enough for the iteration: taller and wider than the stack, and smaller than it.
  @Test(arguments: [(30, 70, 80), (40, 60, 45)], [1.0, 0.1, 3e-3])
  func theIterationReachesTheOptimum(size: (clients: Int, outputs: Int, inputs: Int), spread: Double) throws {
    let shape = CohortShape(
      clients: size.clients, adapterRank: 2, outputs: size.outputs, inputs: size.inputs)
    let cohort = Cohort(shape, spread: spread, seed: 39)
    let layer = try cohort.aggregated(by: FloraNAMatrix())
    let dense = DenseReference(cohort)
    let optimum = try dense.rhoOptimum(adapterRank: 2)
    let rho = dense.rho(b: layer.b, a: layer.a)
    #expect(rho <= optimum * (1 + 1e-5) + 1e-9 && rho >= optimum * (1 - 1e-12))
  }

  /// Four blocks of 24 directions fit into 119, and are not accurate for singular values that hardly fall off.
  @Test(arguments: [8, 16]) func theOptimumIsReachedWhereNoFurtherBlockFits(clients: Int) throws {
    let ranks = [Int](repeating: 16, count: clients)
    var cohort = Cohort(adapterRanks: ranks, outputs: 119, inputs: 400, seed: 40)
    cohort.weights = ranks.map { _ in 1 / Double(clients) }
    let layer = try cohort.aggregated(by: FloraNAMatrix())
    let dense = DenseReference(cohort)
    let optimum = try dense.rhoOptimum(adapterRank: 16)
    #expect(dense.rho(b: layer.b, a: layer.a) <= optimum * (1 + 1e-5) + 1e-9)
  }

  @Test func aSmallOptimumIsReachedToThreeDigits() throws {
    let cohort = Cohort(CohortShape.all[1], spread: 3e-3, seed: 32)
    let layer = try cohort.aggregated(by: FloraNAMatrix())
    let dense = DenseReference(cohort)
    let optimum = try dense.rhoOptimum(adapterRank: 3)
    #expect(optimum < 1e-5 && optimum > 1e-6)
    #expect(abs(dense.rho(b: layer.b, a: layer.a) / optimum - 1) < 1e-3)
  }

  @Test func bothFactorsCarryTheSameSingularValues() throws {
    let cohort = Cohort(CohortShape.all[1], spread: 0.5, seed: 33)
    let layer = try cohort.aggregated(by: FloraNAMatrix())
    let ofB = try layer.b.inDouble.withView { try singularValues($0) }
    let ofA = try layer.a.inDouble.withView { try singularValues($0) }
    #expect(zip(ofB, ofA).allSatisfy { abs($0 / $1 - 1) < 1e-5 })
  }

  @Test func noRotationOfTheBasisIsCloserToTheAverages() throws {
    let cohort = Cohort(CohortShape.all[1], spread: 0.5, seed: 34)
    let layer = try cohort.aggregated(by: FloraNAMatrix())
    let average = try cohort.aggregated(by: FedIT())
    let found = distanceSquare(layer.b.inDouble, layer.a.inDouble, average)
    var random = stream(34, part: 2)
    for angle in [1e-3, 0.1, 1.0] {
      for _ in 0..<10 {
        let turn = try rotation(3, by: angle, &random)
        let b = denseProduct(layer.b.inDouble, turn)
        let a = denseProduct(turn.transposed, layer.a.inDouble)
        #expect(distanceSquare(b, a, average) >= found - 1e-6)
      }
    }
  }

  @Test func identicalClientsGiveBackTheirProduct() throws {
    var cohort = Cohort(CohortShape.all[1], spread: 1, seed: 35)
    cohort.a = cohort.a.map { _ in cohort.a[0] }
    cohort.b = cohort.b.map { _ in cohort.b[0] }
    let layer = try cohort.aggregated(by: FloraNAMatrix())
    #expect(DenseReference(cohort).rho(b: layer.b, a: layer.a) < 1e-7)
  }

  /// All clients share one direction of three: the other two carry no update but must stay trainable.
  @Test func unusedDirectionsKeepTheAverageOfA() throws {
    var cohort = Cohort(CohortShape.all[1], spread: 0.3, seed: 36)
    for u in 0..<cohort.count {
      for row in 0..<40 {
        cohort.b[u][row, 1] = 0
        cohort.b[u][row, 2] = 0
      }
      for column in 0..<17 { cohort.a[u][0, column] = cohort.a[0][0, column] }
    }
    let layer = try cohort.aggregated(by: FloraNAMatrix())
    #expect(DenseReference(cohort).rho(b: layer.b, a: layer.a) < 1e-7)
    let ofA = try layer.a.inDouble.withView { try singularValues($0) }
    #expect(ofA[2] > 0.1 * ofA[0])
  }

  @Test func differentAdapterRanksShareOneOptimum() throws {
    var cohort = Cohort(CohortShape.all[1], spread: 1, seed: 37)
    let small = Cohort(CohortShape(clients: 1, adapterRank: 2, outputs: 40, inputs: 17), spread: 1, seed: 38)
    cohort.a[1] = small.a[0]
    cohort.b[1] = small.b[0]
    let layer = try cohort.aggregated(by: FloraNAMatrix())
    let dense = DenseReference(cohort)
    #expect(try abs(dense.rho(b: layer.b, a: layer.a) - dense.rhoOptimum(adapterRank: 3)) < 1e-6)
    // The leading two are the best pair of rank two.
    let b = layer.b.withView { Matrix($0.columns(0..<2)) }
    let a = layer.a.withView { Matrix($0.rows(0..<2)) }
    #expect(try abs(dense.rho(b: b, a: a) - dense.rhoOptimum(adapterRank: 2)) < 1e-6)
  }

  private func distanceSquare(_ b: Matrix<Double>, _ a: Matrix<Double>, _ other: AggregatedLayer) -> Double {
    let (left, right) = (norm(difference(b, other.b.inDouble)), norm(difference(a, other.a.inDouble)))
    return left * left + right * right
  }

  /// An orthogonal matrix near the identity: the Q of I + angle · noise, with a positive diagonal of R.
  private func rotation(_ size: Int, by angle: Double, _ random: inout RandomStream) throws -> Matrix<Double>
  {
    var matrix = Matrix<Double>(rows: size, columns: size)
    for row in 0..<size {
      for column in 0..<size { matrix[row, column] = (row == column ? 1 : 0) + angle * random.normal() }
    }
    let factors = try matrix.withView { try thinQR($0) }
    var q = factors.q
    for column in 0..<size where factors.r[column, column] < 0 {
      for row in 0..<size { q[row, column] *= -1 }
    }
    return q
  }
}
