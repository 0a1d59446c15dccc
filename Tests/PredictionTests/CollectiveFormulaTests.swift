import Prediction
import Testing

/// The formulas against figures worked out by hand.
@Suite struct CollectiveFormulaTests {
  /// 1 ms a message, 1 MB/s.
  private let link = HockneyLine(alpha: 1e-3, beta: 1e-6)

  private func seconds(_ algorithm: CollectiveAlgorithm, _ ranks: Int, perHost: Int = 1, bytes: Double)
    -> Double
  {
    algorithm.seconds(bytes: bytes, link: link, RankSpread(rankCount: ranks, ranksPerHost: perHost))
  }

  private func isClose(_ found: Double, _ wanted: Double) -> Bool {
    abs(found - wanted) < 1e-12 + 1e-9 * wanted
  }

  @Test func oneRankAHost() {
    #expect(isClose(seconds(.linearGather, 8, bytes: 1e6), 7 * 1.001))
    #expect(isClose(seconds(.linearBroadcast, 8, bytes: 1e6), 7 * 1.001))
    #expect(isClose(seconds(.binomialBroadcast, 8, bytes: 1e6), 3 * 1.001))
    #expect(isClose(seconds(.binomialBroadcast, 5, bytes: 1e6), 3 * 1.001))
    #expect(isClose(seconds(.scatterAllgather, 8, bytes: 1e6), 0.010 + 1.75))
    #expect(isClose(seconds(.chainBroadcast, 8, bytes: 1e6), 0.007 + 1))
    #expect(isClose(seconds(.wholeChainBroadcast, 8, bytes: 1e6), 7 * 1.001))
    #expect(isClose(seconds(.scatterDoubling, 8, bytes: 1e6), 0.006 + 1.75))
    #expect(isClose(seconds(.binomialGather, 8, bytes: 1e6), 0.003 + 7))
  }

  @Test func ranksOfOneHostShareItsLink() {
    // 8 ranks on 4 hosts: six parts come in from the three other hosts.
    #expect(isClose(seconds(.linearGather, 8, perHost: 2, bytes: 1e6), 6 * 1.001))
    #expect(isClose(seconds(.binomialBroadcast, 8, perHost: 2, bytes: 1e6), 2 * 1.001))
    #expect(isClose(seconds(.scatterAllgather, 8, perHost: 2, bytes: 1e6), 0.005 + 1.5))
    #expect(isClose(seconds(.binomialGather, 8, perHost: 2, bytes: 1e6), 0.002 + 6))
    #expect(isClose(seconds(.wholeChainBroadcast, 6, perHost: 2, bytes: 1e6), 2 * 1.001))
    // 16 ranks on 8 hosts: 7/8 leave the root's in the scatter, as much for each of its two ranks in the all-gather.
    #expect(isClose(seconds(.scatterDoubling, 16, perHost: 2, bytes: 1e6), 0.006 + 2.625))
    // 5 ranks on hosts of 2: the last host has one.
    #expect(RankSpread(rankCount: 5, ranksPerHost: 2).hostCount == 3)
    #expect(isClose(seconds(.linearGather, 5, perHost: 2, bytes: 1e6), 3 * 1.001))
  }

  @Test(arguments: CollectiveAlgorithm.allCases)
  func oneHostSendsNothing(algorithm: CollectiveAlgorithm) {
    #expect(seconds(algorithm, 1, bytes: 1e9) == 0 && seconds(algorithm, 4, perHost: 8, bytes: 1e9) == 0)
  }

  // MARK: Models over measurements

  /// As a library with these algorithms would measure over `link`, by default on 8 ranks of 4 hosts.
  private func measured(_ broadcast: CollectiveAlgorithm, ranks: Int = 8, perHost: Int = 2) throws
    -> MeasuredCollectives
  {
    let spread = RankSpread(rankCount: ranks, ranksPerHost: perHost)
    let sizes = [8, 1024, 65536, 1 << 20, 1 << 22, 1 << 24]
    let algorithms = [("gather", CollectiveAlgorithm.linearGather), ("broadcast", broadcast)]
    let lines = algorithms.flatMap { name, algorithm in
      sizes.map { size in
        CollectiveMeasurement(
          operation: name, bytes: size, ranks: ranks,
          medianSeconds: algorithm.seconds(bytes: Double(size), link: link, spread))
      }
    }
    return try MeasuredCollectives(lines, ranksPerHost: perHost, origin: "made")
  }

  @Test(arguments: CollectiveAlgorithm.broadcasts)
  func theLinkAndTheAlgorithmAreFound(algorithm: CollectiveAlgorithm) throws {
    let collectives = try measured(algorithm)
    let rate = try #require(collectives.linkBytesPerSecond)
    #expect(isClose(rate * 1e-6, 1))
    #expect(collectives.broadcastAlgorithms == [algorithm])
    #expect(isClose(try #require(collectives.broadcastVolume), algorithm.volume(collectives.spread)))
  }

  @Test func twoHostsDoNotTellTheAlgorithm() throws {
    #expect(try measured(.binomialBroadcast, ranks: 4).broadcastAlgorithms.isEmpty)
  }

  @Test func oneRankAHostTellsOnlyAlgorithmsOfUnlikeVolumes() throws {
    func found(_ algorithm: CollectiveAlgorithm, ranks: Int) throws -> [CollectiveAlgorithm] {
      try measured(algorithm, ranks: ranks, perHost: 1).broadcastAlgorithms
    }
    #expect(try found(.wholeChainBroadcast, ranks: 8) == [.linearBroadcast, .wholeChainBroadcast])
    #expect(try found(.scatterDoubling, ranks: 8) == [.scatterAllgather, .scatterDoubling])
    #expect(try found(.binomialBroadcast, ranks: 8) == [.binomialBroadcast])
    #expect(
      try found(.linearBroadcast, ranks: 3) == [.linearBroadcast, .binomialBroadcast, .wholeChainBroadcast])
  }

  @Test(arguments: CollectiveAlgorithm.broadcasts)
  func anotherRateAndMoreRanksFollowTheFormulas(algorithm: CollectiveAlgorithm) throws {
    let other = HockneyLine(alpha: 5e-3, beta: 2e-7)
    let spread = RankSpread(rankCount: 16, ranksPerHost: 2)
    let model = ClusterModel(
      .measured(try measured(algorithm), bytesPerSecond: 5e6, latencySeconds: 5e-3), spread: spread)
    let gather = model.gatherSeconds(bytes: 3e6, hasEqualParts: true)
    #expect(isClose(gather, CollectiveAlgorithm.linearGather.seconds(bytes: 3e6, link: other, spread)))
    #expect(isClose(model.broadcastSeconds(bytes: 3e6), algorithm.seconds(bytes: 3e6, link: other, spread)))
    let same = ClusterModel(
      .measured(try measured(algorithm), bytesPerSecond: nil, latencySeconds: nil), spread: spread)
    #expect(isClose(same.broadcastSeconds(bytes: 3e6), algorithm.seconds(bytes: 3e6, link: link, spread)))
  }

  @Test func formulasChooseTheBroadcastBySize() {
    let model = ClusterModel(.formulas(link), spread: RankSpread(rankCount: 8, ranksPerHost: 1))
    #expect(isClose(model.broadcastSeconds(bytes: 1e5), 3 * 0.101))
    #expect(isClose(model.broadcastSeconds(bytes: 1e6), 0.010 + 1.75))
    #expect(isClose(model.gatherSeconds(bytes: 1e6, hasEqualParts: true), 7 * 1.001))
  }

  @Test func measurementsThatDoNotFitAreRefused() throws {
    func problem(_ lines: [CollectiveMeasurement]) -> String? {
      do throws(PredictionError) {
        _ = try MeasuredCollectives(lines, ranksPerHost: 1, origin: "f.jsonl")
        return nil
      } catch { return error.description }
    }
    func line(_ operation: String, _ bytes: Int, ranks: Int = 4) -> CollectiveMeasurement {
      CollectiveMeasurement(operation: operation, bytes: bytes, ranks: ranks, medianSeconds: 1e-3)
    }
    let gather = [line("gather", 8), line("gather", 64)]
    #expect(problem([])?.contains("found no line") == true)
    #expect(problem([line("gather", 8), line("gather", 64, ranks: 2)])?.contains("found 2, 4") == true)
    #expect(problem(gather + [line("broadcast", 8)])?.contains("two sizes of broadcast") == true)
    #expect(problem([line("broadcast", 8), line("broadcast", 64)])?.contains("two sizes of gather") == true)
    #expect(problem(gather + [line("broadcast", 8), line("broadcast", 64)]) == nil)
  }
}
