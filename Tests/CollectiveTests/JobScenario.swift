import Foundation
import MPI
import Testing

/// How a job can end, played by the ranks of a job of its own that `JobTests` starts.
enum JobScenario: String, CaseIterable {
  /// The last rank throws while the others wait in a barrier.
  case oneRankThrows
  /// All ranks throw the same configuration error.
  case allRanksThrow
  /// The last rank alone finds an error, and all learn of it.
  case oneRankFindsAnError
  /// The last rank dies while the others wait.
  case oneRankDies
  /// Nothing goes wrong.
  case allIsWell

  /// Names the scenario to the ranks.
  static let variable = "FLORANA_TEST_SCENARIO"
  static let current = ProcessInfo.processInfo.environment[variable].flatMap(JobScenario.init)

  func play(_ world: borrowing Communicator) throws {
    let isLast = world.rank == world.size - 1
    switch self {
    case .oneRankThrows:
      if isLast { throw Trouble(description: "the disk is full") }
    case .allRanksThrow:
      throw WrongConfiguration()
    case .oneRankFindsAnError:
      try world.together { if isLast { throw Trouble(description: "no such file") } }
    case .oneRankDies:
      if isLast { kill(getpid(), SIGKILL) }
    case .allIsWell:
      break
    }
    try world.barrier()
  }

  struct Trouble: Error, CustomStringConvertible { let description: String }

  struct WrongConfiguration: JobError, CustomStringConvertible {
    var exitStatus: Int32 { 2 }
    var isCollective: Bool { true }
    var description: String { "clients.count: expected 1 or more, found 0" }
  }
}

/// Runs the scenario as the command line would, reporting to standard error.
func status(of scenario: JobScenario) -> Int32 {
  withMPI(report: { FileHandle.standardError.write(Data("report: \($0)\n".utf8)) }, scenario.play)
}

@MainActor @Suite(.enabled(if: JobScenario.current != nil, "started by JobTests"))
struct JobScenarioRank {
  @Test func play() throws {
    exit(status(of: try #require(JobScenario.current)))
  }
}
