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
