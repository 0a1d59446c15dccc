import Prediction
import Testing

/// The algorithms of a known library, and predictions from one number of ranks for another.
@Suite struct LibraryTests {
  private let link = HockneyLine(alpha: 1e-4, beta: 1e-6)
  private let mebibyte = 1024.0 * 1024

  @Test func librariesAreKnownByTheirNames() {
    #expect(MPILibrary("Open MPI v4.1.4, package: Debian OpenMPI, ident: 4.1.4") == .openMPI)
    for other in ["Open MPI v3.1.0, package: x", "Open MPI v5.0.3, package: x", "MPICH Version: 4.0.2"] {
      #expect(MPILibrary(other) == nil, "\(other)")
    }
  }

  @Test func openMPIChoosesByRanksAndSize() {
    func broadcast(_ ranks: Int, _ bytes: Double) -> CollectiveAlgorithm? {
      MPILibrary.openMPI.broadcast(bytes: bytes, ranks: ranks)
    }
    #expect(broadcast(4, mebibyte - 4) == .linearBroadcast && broadcast(4, mebibyte) == .wholeChainBroadcast)
    #expect(broadcast(7, mebibyte) == .wholeChainBroadcast && broadcast(8, mebibyte) == .linearBroadcast)
    #expect(broadcast(16, mebibyte / 2) == .binomialBroadcast && broadcast(16, mebibyte) == .scatterDoubling)
    #expect(broadcast(3, mebibyte / 8) == .wholeChainBroadcast && broadcast(3, mebibyte) == .linearBroadcast)
    #expect(broadcast(32, mebibyte) == nil && broadcast(8, 1000) == nil)
    #expect(MPILibrary.openMPI.gather(ranks: 8, hasEqualParts: true) == .binomialGather)
    #expect(MPILibrary.openMPI.gather(ranks: 7, hasEqualParts: true) == .linearGather)
    #expect(MPILibrary.openMPI.gather(ranks: 8, hasEqualParts: false) == .linearGather)
  }

  /// As the library would measure over `link`, its broadcast by `algorithm`.
  private func measured(ranks: Int, perHost: Int = 2, _ algorithm: (Double) -> CollectiveAlgorithm) throws
    -> MeasuredCollectives
  {
    let spread = RankSpread(rankCount: ranks, ranksPerHost: perHost)
    let sizes: [Int] = [1 << 16, 1 << 17, 1 << 18, 1 << 20, 1 << 22, 1 << 23, 1 << 24]
    func line(_ operation: String, _ size: Int, _ algorithm: CollectiveAlgorithm) -> CollectiveMeasurement {
      CollectiveMeasurement(
        operation: operation, bytes: size, ranks: ranks,
        medianSeconds: algorithm.seconds(bytes: Double(size), link: link, spread))
    }
    let lines =
      sizes.map { line("gather", $0, .linearGather) }
      + sizes.map { line("broadcast", $0, algorithm(Double($0))) }
    return try MeasuredCollectives(lines, ranksPerHost: perHost, origin: "made")
  }

  private func model(_ collectives: MeasuredCollectives, ranks: Int) -> ClusterModel {
    ClusterModel(
      .measured(collectives, bytesPerSecond: nil, latencySeconds: 1e-4),
      spread: RankSpread(rankCount: ranks, ranksPerHost: 2), library: .openMPI)
  }

  @Test(arguments: [(8, 4), (8, 6), (8, 12), (8, 16), (6, 8), (4, 8)])
  func anotherNumberOfRanksHasAnotherAlgorithm(fitted: Int, ranks: Int) throws {
    let model = model(
      try measured(ranks: fitted) { MPILibrary.openMPI.broadcast(bytes: $0, ranks: fitted)! }, ranks: ranks)
    let expected = try #require(MPILibrary.openMPI.broadcast(bytes: 3e6, ranks: ranks))
    #expect(model.broadcastChoice(bytes: 3e6) == .init(expected, .library))
    let seconds = expected.seconds(bytes: 3e6, link: link, model.spread)
    #expect(abs(model.broadcastSeconds(bytes: 3e6) / seconds - 1) < 0.01)
  }

  /// Who told the library to take another algorithm finds it in the measurements.
  @Test func measurementsOutweighTheTable() throws {
    let model = model(try measured(ranks: 8) { _ in .chainBroadcast }, ranks: 4)
    #expect(model.broadcastChoice(bytes: 3e6) == .init(.chainBroadcast, .measured))
    #expect(model.broadcastChoices.map(\.choice.source) == [.measured])
    #expect(model.gatherChoice(hasEqualParts: true) == .init(.linearGather, .library))
    let seconds = CollectiveAlgorithm.chainBroadcast.seconds(bytes: 3e6, link: link, model.spread)
    #expect(abs(model.broadcastSeconds(bytes: 3e6) / seconds - 1) < 0.01)
  }

  @Test func everySizesAlgorithmIsNamed() {
    let formulas = ClusterModel(
      .formulas(link), spread: RankSpread(rankCount: 4, ranksPerHost: 1), library: .openMPI)
    let found = formulas.broadcastChoices
    #expect(
      found.map(\.choice) == [
        .init(.binomialBroadcast, .assumed), .init(.linearBroadcast, .library),
        .init(.wholeChainBroadcast, .library),
      ])
    #expect(found.map(\.fromBytes) == [1, 1 << 16, 1 << 20])
  }

  /// The table ends there.
  @Test func of32RanksTheLibrarysBroadcastIsNotKnown() throws {
    let formulas = ClusterModel(
      .formulas(link), spread: RankSpread(rankCount: 32, ranksPerHost: 2), library: .openMPI)
    #expect(
      formulas.broadcastChoices.map(\.choice) == [
        .init(.binomialBroadcast, .assumed), .init(.scatterAllgather, .assumed),
      ])
    #expect(formulas.gatherChoice(hasEqualParts: true) == .init(.binomialGather, .library))
    let fitted = model(try measured(ranks: 8) { _ in .linearBroadcast }, ranks: 32)
    #expect(fitted.broadcastChoices.map(\.choice) == [.init(.linearBroadcast, .measured)])
  }

  /// The measurements fit two algorithms alike: the table decides, and without it one is only assumed.
  @Test func oneRankAHostLeavesTheChoiceToTheTable() throws {
    let collectives = try measured(ranks: 8, perHost: 1) { _ in .linearBroadcast }
    func choice(_ ranks: Int, _ library: MPILibrary?) -> ClusterModel.Choice {
      ClusterModel(
        .measured(collectives, bytesPerSecond: nil, latencySeconds: nil),
        spread: RankSpread(rankCount: ranks, ranksPerHost: 1), library: library
      ).broadcastChoice(bytes: 3e6)
    }
    #expect(choice(8, .openMPI) == .init(.linearBroadcast, .library))
    #expect(choice(4, .openMPI) == .init(.wholeChainBroadcast, .library))
    #expect(choice(8, nil) == .init(.linearBroadcast, .assumed))
  }
}
