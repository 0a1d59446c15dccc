import Foundation
import LaunchSupport
import MPI
import Testing

/// Jobs from start to end: one rank in a process of its own, or three under an mpirun that the test
/// starts.
@Suite(.serialized, .enabled(if: !underMPIRun && JobScenario.current == nil, "starts jobs itself"))
struct JobTests {
  @Suite struct OneRank {
    @Test func aWorldOfOneNeedsNoMPIRun() async {
      await #expect(processExitsWith: .exitCode(0)) {
        let status = withMPI(report: { _ in }) { world in
          precondition(world.size == 1 && world.rank == 0)
          var array: [Float] = [1, 2]
          try world.broadcast(&array, from: 0)
          let whole = try world.gather(array, to: 0)
          let sum = try world.allreduce(3.5, .sum)
          precondition(whole == [1, 2] && sum == 3.5 && world.transferred == Transfer())
        }
        exit(status)
      }
    }

    /// Open MPI has room for 65,536 communicators, MPICH for fewer: they must be freed.
    @Test func groupsComeAndGo() async {
      await #expect(processExitsWith: .exitCode(0)) {
        let status = withMPI(report: { print($0) }) { world in
          for _ in 0..<70_000 { try world.withSplit(color: 0) { _ in } }
        }
        exit(status)
      }
    }

    @Test func anErrorIsReportedOnceWithoutARank() async throws {
      let result = await #expect(
        processExitsWith: .exitCode(1), observing: [\.standardErrorContent]
      ) { exit(status(of: .oneRankThrows)) }
      let text = String(decoding: try #require(result).standardErrorContent, as: UTF8.self)
      #expect(
        text.split(whereSeparator: \.isNewline).filter { $0.hasPrefix("report: ") } == [
          "report: the disk is full"
        ])
    }

    @Test func aJobErrorChoosesTheStatus() async {
      await #expect(processExitsWith: .exitCode(2)) { exit(status(of: .allRanksThrow)) }
    }
  }

  @Suite(.enabled("needs the mpirun of its MPI") { Job.launcher != nil }) struct ThreeRanks {
    @Test func aJobThatGoesWellEndsWithZero() throws {
      let job = try launch(.allIsWell)
      #expect(job.status == 0)
      #expect(job.reports("report: ") == [])
    }

    @Test func anErrorOnOneRankEndsTheJob() throws {
      let job = try launch(.oneRankThrows)
      #expect(job.status == 1)
      let report = try #require(job.reports("report: ").first)
      #expect(report.hasPrefix("rank 2 on host ") && report.hasSuffix(": the disk is full"))
      #expect(job.reports("report: ").count == 1)
    }

    @Test func anErrorOfAllRanksIsReportedOnce() throws {
      let job = try launch(.allRanksThrow)
      #expect(job.status == 2)
      #expect(job.reports("report: ") == ["clients.count: expected 1 or more, found 0"])
      #expect(!job.standardError.uppercased().contains("MPI_ABORT"))
    }

    @Test func anErrorThatAllRanksLearnIsReportedOnce() throws {
      let job = try launch(.oneRankFindsAnError)
      #expect(job.status == 1)
      let report = try #require(job.reports("report: ").first)
      #expect(report.hasPrefix("rank 2 on host ") && report.hasSuffix(": no such file"))
      #expect(job.reports("report: ").count == 1)
      #expect(!job.standardError.uppercased().contains("MPI_ABORT"))
    }

    @Test func aRankThatDiesEndsTheJob() throws {
      let job = try launch(.oneRankDies)
      #expect(job.status != 0 && !job.hasTimedOut)
    }
  }
}

/// A finished job of three ranks of this test program.
private func launch(_ scenario: JobScenario) throws -> Job.Outcome {
  try Job.run(
    [CommandLine.arguments[0], "--testing-library", "swift-testing", "--filter", "JobScenarioRank"],
    ranks: 3, environment: [JobScenario.variable: scenario.rawValue])
}
