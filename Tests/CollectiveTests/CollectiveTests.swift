import Foundation
import MPI
import Testing

/// The root of all tests in which every rank takes part. They run one after the other, in the same order
/// on every rank, on the thread that started MPI, under
///
///     mpirun --oversubscribe --timeout 120 -n 3 .build/debug/floranaPackageTests.xctest \
///       --testing-library swift-testing --filter CollectiveTests
///
/// and are skipped without mpirun. Other files nest their suites in extensions, each `@MainActor`. A test
/// must make the same collective calls on every rank whatever its expectations find: no `#require` of
/// something that differs between ranks before one.
@MainActor @Suite(.serialized, .enabled(if: underMPIRun, "runs under mpirun"))
struct CollectiveTests {
  @Test func theRanksAreNumberedFromZero() throws {
    #expect(try world.allgather(Int32(world.rank)) == (0..<Int32(world.size)).map { $0 })
    #expect(try world.allreduce(Int64(1), .sum) == Int64(world.size))
  }

  @Test func theEnvironmentIsTold() throws {
    let version = MPIEnvironment.libraryVersion
    #expect(version.contains("MPI") && version.count < 200, "\(version)")
    #expect(MPIEnvironment.standardVersion.major >= 3)
    #expect(!MPIEnvironment.processorName.isEmpty)
    #expect(try MPIEnvironment.threadLevel >= .funneled)
    let start = MPIEnvironment.elapsedSeconds
    try world.barrier()
    #expect(MPIEnvironment.elapsedSeconds >= start)
    #expect(world.location.rank == world.rank)
  }

  @Test func aBarrierWaitsForTheLastRank() throws {
    if world.rank == world.size - 1 { Thread.sleep(forTimeInterval: 0.05) }
    let arrival = Date.now.timeIntervalSince1970
    try world.barrier()
    let departure = Date.now.timeIntervalSince1970
    // One machine, one clock: nobody leaves before the last has come.
    #expect(try world.allreduce(arrival, .maximum) <= departure)
  }
}
