import Testing

@testable import Simulation

@Suite struct PlacementTests {
  @Test func blocksKeepNeighboursTogether() {
    let placement = Placement(kind: .block, clientCount: 8, rankCount: 3)
    #expect((0..<8).map { placement.rank(ofClient: $0) } == [0, 0, 0, 1, 1, 1, 2, 2])
  }

  @Test func cyclicGoesAround() {
    let placement = Placement(kind: .cyclic, clientCount: 8, rankCount: 3)
    #expect((0..<8).map { placement.rank(ofClient: $0) } == [0, 1, 2, 0, 1, 2, 0, 1])
  }

  @Test(arguments: Placement.Kind.allCases, [1, 2, 3, 7, 12])
  func everyClientHasOneRank(kind: Placement.Kind, rankCount: Int) {
    let placement = Placement(kind: kind, clientCount: 10, rankCount: rankCount)
    let cohort = [0, 2, 3, 7, 9]
    let hosted = (0..<rankCount).flatMap { placement.clients(of: cohort, onRank: $0) }
    #expect(hosted.sorted() == cohort)
    #expect(placement.counts(of: cohort).reduce(0, +) == cohort.count)
    #expect(placement.counts(of: Array(0..<10)).max()! - placement.counts(of: Array(0..<10)).min()! <= 1)
  }

  @Test func longestFirstBalancesTheLoad() {
    let (cohort, costs) = ([1, 4, 5, 7, 8, 9], [3.0, 7, 3, 2, 5, 4])
    let placement = Placement(balancing: cohort, costs: costs, clientCount: 10, rankCount: 3)
    // 7 to rank 0, 5 to 1, 4 to 2, then 3 to 2, 3 to 1, and 2 to 0, where 7 is the least.
    #expect(cohort.map { placement.rank(ofClient: $0) } == [2, 0, 1, 0, 1, 2])
    let loads = (0..<3).map { rank in
      zip(cohort, costs).reduce(0) { $0 + (placement.rank(ofClient: $1.0) == rank ? $1.1 : 0) }
    }
    #expect(loads == [9, 8, 7])
    #expect(placement.clients(of: cohort, onRank: 1) == [5, 8])
    // Whoever was not dealt is where blocks have them.
    let block = Placement(kind: .block, clientCount: 10, rankCount: 3)
    #expect([0, 2, 3, 6].allSatisfy { placement.rank(ofClient: $0) == block.rank(ofClient: $0) })
  }

  @Test func equalCostsGoAroundTheRanks() {
    let placement = Placement(
      balancing: Array(0..<7), costs: [Double](repeating: 2, count: 7), clientCount: 7, rankCount: 3)
    #expect((0..<7).map { placement.rank(ofClient: $0) } == [0, 1, 2, 0, 1, 2, 0])
  }

  @Test func cohortsDependOnSeedAndRoundAlone() {
    let sampler = CohortSampler(clientCount: 20, participation: 0.3, seed: 4)
    #expect(sampler.cohort(round: 1).count == 6)
    #expect(sampler.cohort(round: 1) == sampler.cohort(round: 1))
    #expect(Set((1...20).map { sampler.cohort(round: $0) }).count > 15)
    #expect(Set((1...20).flatMap { sampler.cohort(round: $0) }) == Set(0..<20))
    #expect(CohortSampler(clientCount: 5, participation: 1, seed: 1).cohort(round: 3) == [0, 1, 2, 3, 4])
    #expect(CohortSampler(clientCount: 5, participation: 0.01, seed: 1).cohort(round: 3).count == 1)
  }

  @Test func dealtChunksComeBackInOrder() {
    let chunks = DealtChunks(all: (0..<11).map { [$0] })
    for size in [1, 2, 3, 16] {
      let byRank = (0..<size).map { chunks.of(rank: $0, size: size).map { $0[0] } }
      #expect(chunks.inOrder(byRank) == Array(0..<11))
    }
  }
}
