import Foundation
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
      #expect(
        reports(String(decoding: try #require(result).standardErrorContent, as: UTF8.self)) == [
          "the disk is full"
        ])
    }

    @Test func aJobErrorChoosesTheStatus() async {
      await #expect(processExitsWith: .exitCode(2)) { exit(status(of: .allRanksThrow)) }
    }
  }

  @Suite(.enabled("needs Open MPI's mpirun") { Job.launcher != nil }) struct ThreeRanks {
    @Test func aJobThatGoesWellEndsWithZero() throws {
      let job = try Job(.allIsWell)
      #expect(job.status == 0)
      #expect(reports(job.standardError) == [])
    }

    @Test func anErrorOnOneRankEndsTheJob() throws {
      let job = try Job(.oneRankThrows)
      #expect(job.status == 1)
      let report = try #require(reports(job.standardError).first)
      #expect(report.hasPrefix("rank 2 on host ") && report.hasSuffix(": the disk is full"))
      #expect(reports(job.standardError).count == 1)
    }

    @Test func anErrorOfAllRanksIsReportedOnce() throws {
      let job = try Job(.allRanksThrow)
      #expect(job.status == 2)
      #expect(reports(job.standardError) == ["clients.count: expected 1 or more, found 0"])
      #expect(!job.standardError.contains("MPI_ABORT"))
    }

    @Test func anErrorThatAllRanksLearnIsReportedOnce() throws {
      let job = try Job(.oneRankFindsAnError)
      #expect(job.status == 1)
      let report = try #require(reports(job.standardError).first)
      #expect(report.hasPrefix("rank 2 on host ") && report.hasSuffix(": no such file"))
      #expect(reports(job.standardError).count == 1)
      #expect(!job.standardError.contains("MPI_ABORT"))
    }

    @Test func aRankThatDiesEndsTheJob() throws {
      let job = try Job(.oneRankDies)
      // 110 is mpirun's status for a job that outlives its timeout.
      #expect(job.status != 0 && job.status != 110)
    }
  }
}

/// The lines that `withMPI` reported, among the launcher's own.
private func reports(_ standardError: String) -> [String] {
  standardError.split(whereSeparator: \.isNewline).filter { $0.hasPrefix("report: ") }
    .map { String($0.dropFirst("report: ".count)) }
}

/// A finished job of three ranks of this test program.
private struct Job {
  let status: Int32
  let standardError: String

  static let launcher: URL? = {
    guard MPIEnvironment.libraryVersion.hasPrefix("Open MPI") else { return nil }
    let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
    return path.split(separator: ":").map { URL(filePath: String($0)).appending(path: "mpirun") }
      .first { FileManager.default.isExecutableFile(atPath: $0.path) }
  }()

  init(_ scenario: JobScenario) throws {
    let process = Process()
    process.executableURL = Self.launcher
    process.arguments =
      ["--oversubscribe", "--timeout", "60", "-n", "3", CommandLine.arguments[0]]
      + ["--testing-library", "swift-testing", "--filter", "JobScenarioRank"]
    var environment = ProcessInfo.processInfo.environment
    environment[JobScenario.variable] = scenario.rawValue
    environment["SWIFT_BACKTRACE"] = "enable=no"
    environment["OMPI_ALLOW_RUN_AS_ROOT"] = "1"
    environment["OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"] = "1"
    process.environment = environment
    let pipe = Pipe()
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = FileHandle.nullDevice
    process.standardError = pipe
    try process.run()
    standardError = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    status = process.terminationStatus
  }
}
