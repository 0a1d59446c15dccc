import Randomness
import Testing

@Suite struct DistributionTests {
  private func stream(_ seed: UInt64 = 7) -> RandomStream {
    RandomStream(RandomKey(seed: seed, purpose: .test))
  }

  @Test func uniformIntegersCoverTheRangeEvenly() {
    var stream = stream()
    var counts = [Int](repeating: 0, count: 7)
    for _ in 0..<70_000 { counts[stream.uniformInteger(below: 7)] += 1 }
    // Five standard deviations of a binomial count with n = 70000, p = 1/7.
    #expect(counts.allSatisfy { abs($0 - 10_000) < 470 }, "\(counts)")
  }

  @Test func normalHasMeanZeroAndVarianceOne() {
    var stream = stream()
    let draws = (0..<100_000).map { _ in stream.normal() }
    let mean = draws.reduce(0, +) / 100_000
    let variance = draws.reduce(0) { $0 + $1 * $1 } / 100_000
    #expect(abs(mean) < 0.016)
    #expect(abs(variance - 1) < 0.023)
  }

  @Test(arguments: [0.1, 0.5, 1.0, 10.0])
  func dirichletHasItsMeanAndVariance(concentration: Double) {
    var stream = stream()
    let firsts = (0..<20_000).map { _ in
      let parts = stream.dirichlet(concentration: concentration, count: 4)
      #expect(abs(parts.reduce(0, +) - 1) < 1e-12)
      return parts[0]
    }
    let mean = firsts.reduce(0, +) / 20_000
    let variance = firsts.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 20_000
    let expected = 0.25 * 0.75 / (4 * concentration + 1)
    #expect(abs(mean - 0.25) < 5 * (expected / 20_000).squareRoot())
    #expect(abs(variance / expected - 1) < 0.1)
  }

  @Test func verySmallConcentrationsStayFinite() {
    var stream = stream()
    for _ in 0..<100 {
      let parts = stream.dirichlet(concentration: 1e-4, count: 5)
      #expect(parts.allSatisfy { $0.isFinite } && abs(parts.reduce(0, +) - 1) < 1e-12)
    }
  }

  @Test func shuffleIsAPermutationFixedByTheSeed() {
    var first = Array(0..<100)
    var second = first
    var a = stream(), b = stream(), c = stream(8)
    a.shuffle(&first)
    b.shuffle(&second)
    var third = Array(0..<100)
    c.shuffle(&third)
    #expect(first == second && first != third && first != Array(0..<100))
    #expect(first.sorted() == Array(0..<100))
  }

  /// A sample is the beginning of a shuffle of the whole population.
  @Test func sampleIsTheStartOfAShuffle() {
    for (count, population) in [(1, 1), (3, 7), (40, 100), (100, 100)] {
      var stream = RandomStream(RandomKey(seed: 8, purpose: .test))
      var copy = stream
      var all = Array(0..<population)
      for first in 0..<count { all.swapAt(first, first + copy.uniformInteger(below: population - first)) }
      #expect(stream.sample(count, of: population) == all[..<count].sorted())
    }
  }

  @Test func sampleIsSortedWithoutRepetition() {
    var stream = stream()
    for _ in 0..<50 {
      let sample = stream.sample(5, of: 9)
      #expect(
        sample == sample.sorted() && Set(sample).count == 5 && sample.allSatisfy { (0..<9).contains($0) })
    }
    #expect(stream.sample(3, of: 3) == [0, 1, 2])
  }
}
