import Aggregation
import LinearAlgebra
import Randomness
import Testing

@Suite struct FloraNATests {
  @Test(arguments: CohortShape.all, [1.0, 0.1])
  func isNeverWorseThanAveragingAndReachesTheDenseSearch(shape: CohortShape, spread: Double) throws {
    let cohort = Cohort(shape, spread: spread, seed: 11)
    let layer = try cohort.aggregated(by: FloraNA())
    let dense = DenseReference(cohort)
    let rho = dense.rho(b: layer.b, a: layer.a)
    let average = try cohort.aggregated(by: FedIT())
    #expect(rho <= dense.rho(b: average.b, a: average.a) + 1e-7)
    #expect(try rho >= dense.rhoOptimum(adapterRank: shape.adapterRank) - 1e-7)
    let searched = try DenseSearch(cohort).rho(sweeps: 60)
    #expect(rho <= searched * (1 + 1e-3) + 1e-7)
    #expect(try abs(cohort.diagnosed(layer).rho - rho) <= 1e-9)
  }

  @Test(arguments: [1e-2, 3e-3, 1e-3, 1e-4]) func smallDifferencesKeepThreeDigits(spread: Double) throws {
    let shape = CohortShape(clients: 5, adapterRank: 3, outputs: 40, inputs: 25)
    let cohort = Cohort(shape, spread: spread, seed: 12)
    let layer = try cohort.aggregated(by: FloraNA())
    let dense = DenseReference(cohort)
    let searched = try DenseSearch(cohort).rho(sweeps: 60)
    // Before the factors are rounded to Float32, which alone moves ρ by about 3e-8.
    let coefficients = try #require(layer.coefficients)
    let exact = dense.rho(b: denseSum(cohort.b, coefficients.ofB), a: denseSum(cohort.a, coefficients.ofA))
    if searched > 1e-7 { #expect(abs(exact / searched - 1) < 1e-4) }
    let rho = dense.rho(b: layer.b, a: layer.a)
    if searched > 1e-6 { #expect(abs(rho / searched - 1) < 1e-3) }
    #expect(abs(rho - searched) < 6e-8)
    #expect(try abs(cohort.diagnosed(layer).rho / rho - 1) < 1e-6)
  }

  @Test(arguments: 0..<12) func randomCohortsGainOverAveraging(seed: Int) throws {
    var random = stream(seed, part: 1)
    let shape = CohortShape(
      clients: 2 + random.uniformInteger(below: 6), adapterRank: 1 + random.uniformInteger(below: 4),
      outputs: 4 + random.uniformInteger(below: 20), inputs: 4 + random.uniformInteger(below: 20))
    let cohort = Cohort(shape, spread: random.uniformDouble(), seed: seed)
    let diagnostics = try cohort.diagnosed(cohort.aggregated(by: FloraNA()))
    #expect(diagnostics.rho < diagnostics.rhoFedIT)
    #expect(diagnostics.rho >= diagnostics.rhoOptimum - 1e-9)
  }

  @Test func identicalClientsGiveBackTheirFactors() throws {
    var cohort = Cohort(CohortShape.all[1], spread: 1, seed: 13)
    cohort.a = cohort.a.map { _ in cohort.a[0] }
    cohort.b = cohort.b.map { _ in cohort.b[0] }
    let layer = try cohort.aggregated(by: FloraNA())
    #expect(layer.a == cohort.a[0] && layer.b == cohort.b[0])
    #expect(try cohort.diagnosed(layer).rho < 1e-14)
  }

  @Test(arguments: CohortShape.all) func oneClientGivesBackItsFactors(shape: CohortShape) throws {
    var shape = shape
    shape.clients = 1
    var cohort = Cohort(shape, spread: 1, seed: 14)
    cohort.weights = [1]
    let layer = try cohort.aggregated(by: FloraNA())
    #expect(layer.a == cohort.a[0] && layer.b == cohort.b[0])
    #expect(layer.coefficients == CombinationCoefficients(ofB: [1], ofA: [1]))
  }

  @Test(arguments: [8.0, -0.5, 1e-12, 1e12]) func scalingBScalesTheProduct(factor: Double) throws {
    let cohort = Cohort(CohortShape.all[1], spread: 0.5, seed: 15)
    var scaled = cohort
    for u in 0..<cohort.count { scaled.b[u].elements = cohort.b[u].elements.map { Float(factor) * $0 } }
    let plain = try cohort.aggregated(by: FloraNA())
    let layer = try scaled.aggregated(by: FloraNA())
    let expected = denseProduct(plain.b.inDouble, plain.a.inDouble)
    var found = denseProduct(layer.b.inDouble, layer.a.inDouble)
    found.elements = found.elements.map { $0 / factor }
    #expect(norm(difference(found, expected)) < 1e-5 * norm(expected))
  }

  @Test func permutingClientsPermutesTheCoefficients() throws {
    let cohort = Cohort(CohortShape.all[1], spread: 0.5, seed: 16)
    let order = [3, 0, 4, 1, 2]
    let shuffled = Cohort(
      a: order.map { cohort.a[$0] }, b: order.map { cohort.b[$0] }, weights: order.map { cohort.weights[$0] })
    let plain = try cohort.aggregated(by: FloraNA())
    let layer = try shuffled.aggregated(by: FloraNA())
    for (position, client) in order.enumerated() {
      #expect(abs(layer.coefficients!.ofB[position] - plain.coefficients!.ofB[client]) < 1e-9)
      #expect(abs(layer.coefficients!.ofA[position] - plain.coefficients!.ofA[client]) < 1e-9)
    }
    #expect(zip(layer.a.elements, plain.a.elements).allSatisfy { abs($0 - $1) < 1e-6 })
    #expect(layer.sweeps == plain.sweeps)
  }

  @Test(arguments: CohortShape.all) func theNormsKeepTheProportionOfTheAverages(shape: CohortShape) throws {
    var cohort = Cohort(shape, spread: 0.7, seed: 17)
    for u in 0..<cohort.count { cohort.b[u].elements = cohort.b[u].elements.map { $0 / 64 } }
    let layer = try cohort.aggregated(by: FloraNA())
    let average = try cohort.aggregated(by: FedIT())
    let ratio = layer.b.frobeniusNorm / layer.a.frobeniusNorm
    #expect(abs(ratio / (average.b.frobeniusNorm / average.a.frobeniusNorm) - 1) < 1e-6)
    let agreement = innerProduct(layer.b, average.b) + innerProduct(layer.a, average.a)
    #expect(agreement > 0)
  }

  @Test func theFactorsAreTheCombinationThatTheCoefficientsSay() throws {
    let cohort = Cohort(CohortShape.all[2], spread: 0.5, seed: 18)
    let layer = try cohort.aggregated(by: FloraNA())
    let coefficients = try #require(layer.coefficients)
    #expect(norm(difference(denseSum(cohort.b, coefficients.ofB), layer.b.inDouble)) < 1e-6)
    #expect(norm(difference(denseSum(cohort.a, coefficients.ofA), layer.a.inDouble)) < 1e-6)
    #expect(try #require(layer.sweeps) > 0)
  }
}

@Suite struct FloraNAEdgeCases {
  @Test func aFirstRoundWithoutAnUpdateKeepsTheAverages() throws {
    var cohort = Cohort(CohortShape.all[1], spread: 1, seed: 21)
    for u in 0..<cohort.count { cohort.b[u].elements = cohort.b[u].elements.map { _ in 0 } }
    for rule in AggregationRules.all {
      let cohort = cohort.suited(to: rule)
      let average = try cohort.aggregated(by: FedIT())
      let layer = try cohort.aggregated(by: rule)
      #expect((layer.core != nil || layer.a == average.a) && layer.b == average.b)
      let diagnostics = try cohort.diagnosed(layer)
      #expect(diagnostics.rho == 0 && diagnostics.rhoOptimum == 0 && diagnostics.closedGap == nil)
    }
  }

  @Test func aClientWithoutAnUpdateDoesNoHarm() throws {
    var cohort = Cohort(CohortShape.all[1], spread: 0.5, seed: 22)
    cohort.b[2].elements = cohort.b[2].elements.map { _ in 0 }
    cohort.a[2].elements = cohort.a[2].elements.map { _ in 0 }
    let layer = try cohort.aggregated(by: FloraNA())
    let rho = DenseReference(cohort).rho(b: layer.b, a: layer.a)
    #expect(try rho <= DenseSearch(cohort).rho(sweeps: 60) * (1 + 1e-3))
  }

  @Test func aClientOfWeightZeroIsNoPartOfTheIdeal() throws {
    var cohort = Cohort(CohortShape.all[1], spread: 0.5, seed: 23)
    cohort.weights = [0.25, 0, 0.25, 0.25, 0.25]
    let layer = try cohort.aggregated(by: FloraNA())
    #expect(
      try DenseReference(cohort).rho(b: layer.b, a: layer.a) <= DenseSearch(cohort).rho(sweeps: 60) * 1.001)
  }

  @Test func aClientThatIsAllTheWeightGivesBackItsFactors() throws {
    var cohort = Cohort(CohortShape.all[1], spread: 0.5, seed: 19)
    cohort.weights = [0, 0, 0, 1, 0]
    let layer = try cohort.aggregated(by: FloraNA())
    #expect(layer.a == cohort.a[3] && layer.b == cohort.b[3])
  }

  /// Where rounding to Float32 is as large as the gain, too: measured exactly, without a tolerance.
  @Test(arguments: [1e-6, 1e-5, 1e-4, 3e-4, 1e-3, 1e-2], [1, 2, 3])
  func isNeverWorseThanAveragingAfterRounding(spread: Double, seed: Int) throws {
    let cohort = Cohort(CohortShape.all[2], spread: spread, seed: seed)
    let diagnostics = try cohort.diagnosed(cohort.aggregated(by: FloraNA()))
    #expect(diagnostics.errorNorm <= diagnostics.errorNormFedIT)
  }

  /// Two clients `Ā ± α`, `B̄ ± β` with `αĀᵀ` antisymmetric and `βᵀB̄ = 0`: no coefficients gain over the
  /// averages, though other factors would. A little off that point, there is less to gain than rounding to
  /// Float32 can lose.
  @Test(arguments: [1e-6, 1e-5, 1e-4], 1...8)
  func isNeverWorseThanAveragingWhereThereIsNextToNothingToGain(noise: Double, seed: Int) throws {
    // Multiples of 1/8, and noise in multiples of 2⁻²⁰: the averages are free of rounding.
    func pattern(_ count: Int, _ step: Int) -> [Float] { (0..<count).map { Float($0 * step % 5 + 1) / 4 } }
    func a(_ sign: Float) -> Matrix<Float> {
      let v = pattern(12, 2)
      let (sum, difference) = (v + v, v + v.map { -$0 })
      let rows =
        zip(sum, difference).map { $0 + sign * $1 / 2 } + zip(difference, sum).map { $0 - sign * $1 / 2 }
      return Matrix(rows: 2, columns: 24, elements: rows)
    }
    func b(_ sign: Float) -> Matrix<Float> {
      let rows = zip(pattern(40, 3), pattern(40, 7)).map { ($0, sign * $1 / 2) }
      return Matrix(rows: 40, columns: 2, elements: rows.map { $0 + $1 } + rows.map { $0 - $1 })
    }
    var cohort = Cohort(a: [a(1), a(-1)], b: [b(1), b(-1)], weights: [0.5, 0.5])
    var random = stream(seed, part: 2)
    for index in cohort.b[1].elements.indices {
      cohort.b[1].elements[index] += Float((noise * random.normal() * 0x1p20).rounded()) * 0x1p-20
    }
    let diagnostics = try cohort.diagnosed(cohort.aggregated(by: FloraNA()))
    #expect(diagnostics.rhoFedIT > 0.1)
    #expect(diagnostics.errorNorm <= diagnostics.errorNormFedIT)
  }

  @Test func equalClientsGetEqualCoefficients() throws {
    var cohort = Cohort(CohortShape.all[1], spread: 0.5, seed: 24)
    cohort.a[3] = cohort.a[1]
    cohort.b[3] = cohort.b[1]
    cohort.weights = [Double](repeating: 0.2, count: 5)
    let coefficients = try #require(try cohort.aggregated(by: FloraNA()).coefficients)
    #expect(abs(coefficients.ofB[1] - coefficients.ofB[3]) < 1e-9)
    #expect(abs(coefficients.ofA[1] - coefficients.ofA[3]) < 1e-9)
    #expect(coefficients.range.upperBound < 10 && coefficients.range.lowerBound > -10)
  }

  /// Two clients that learned the same update with opposite signs: the averages vanish and the descent
  /// from them cannot move; the spectral start finds the update.
  @Test func oppositeFactorsAreFoundByTheSecondStart() throws {
    var cohort = Cohort(CohortShape(clients: 2, adapterRank: 3, outputs: 12, inputs: 9), spread: 1, seed: 30)
    cohort.weights = [0.5, 0.5]
    cohort.a[1].elements = cohort.a[0].elements.map { -$0 }
    cohort.b[1].elements = cohort.b[0].elements.map { -$0 }
    let layer = try cohort.aggregated(by: FloraNA())
    let diagnostics = try cohort.diagnosed(layer)
    #expect(diagnostics.rhoFedIT == 1 && diagnostics.rho < 1e-7)
    // The averages define no proportion of the norms here: they are equal.
    #expect(abs(layer.b.frobeniusNorm / layer.a.frobeniusNorm - 1) < 1e-6)
  }

  /// `A_u = c_u A`: `W* = (Σ p_u c_u B_u) A` is within reach, though no client is near another.
  @Test(arguments: [0, 1e-4]) func proportionalFactorsAreAggregatedExactly(noise: Double) throws {
    var cohort = Cohort(CohortShape.all[1], spread: 1, seed: 25)
    var random = stream(25, part: 3)
    for u in 0..<cohort.count {
      // Quarters, so that the multiples are exact in Float32.
      let factor = Float(random.uniformInteger(below: 8) + 1) / 4
      cohort.a[u] = cohort.a[0]
      cohort.a[u].elements = cohort.a[0].elements.map { factor * $0 }
      cohort.a[u] = perturbed(cohort.a[u], by: noise, &random)
    }
    let layer = try cohort.aggregated(by: FloraNA())
    let rho = DenseReference(cohort).rho(b: layer.b, a: layer.a)
    if noise == 0 {
      #expect(rho < 1e-7)
    } else {
      #expect(try abs(rho / DenseSearch(cohort).rho(sweeps: 100) - 1) < 1e-3)
    }
  }

  /// Differences of 1e-6 make an error of 1e-12 of ‖W*‖, below what Float32 factors can express.
  @Test func differencesAtTheEdgeOfFloat32StayWithinRounding() throws {
    let cohort = Cohort(CohortShape.all[1], spread: 1e-6, seed: 26)
    // HetLoRA goes by other weights: its averages differ by the clients' differences themselves.
    for rule in AggregationRules.all where rule.name != "hetlora" {
      let cohort = cohort.suited(to: rule)
      let diagnostics = try cohort.diagnosed(cohort.aggregated(by: rule).applied)
      #expect(diagnostics.rho < 1e-7)
      #expect(diagnostics.rhoOptimum < 1e-11)
      #expect(diagnostics.closedGap == nil)
    }
  }

  @Test func theSameInputsGiveTheSameBits() throws {
    let cohort = Cohort(CohortShape.all[1], spread: 0.5, seed: 27)
    for rule in AggregationRules.all {
      let cohort = cohort.suited(to: rule)
      #expect(try cohort.aggregated(by: rule) == cohort.aggregated(by: rule))
    }
  }

  @Test func clientsOfDifferentAdapterRanksAreRefused() throws {
    var cohort = Cohort(CohortShape.all[1], spread: 0.5, seed: 28)
    let small = Cohort(
      CohortShape(clients: 1, adapterRank: 2, outputs: 40, inputs: 17), spread: 0.5, seed: 29)
    cohort.a[1] = small.a[0]
    cohort.b[1] = small.b[0]
    let mixed = cohort
    #expect(throws: FloraNA().mixedRanksError([3, 2, 3, 3, 3])) {
      try mixed.aggregated(by: FloraNA())
    }
  }
}
