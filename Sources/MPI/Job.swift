internal import CMPI

/// Starts MPI, lends `body` the communicator of all ranks, ends MPI, and returns the status with which
/// this process should exit.
///
/// One process started without mpirun is a world of one rank. When `body` throws, what happens depends on
/// who else throws:
///
/// - A `JobError` that is collective, and any error of a world of one rank: every rank has it. Rank 0
///   alone reports, all ranks end MPI in order, and each returns the error's status. mpirun then exits
///   with that status, after notices of its own; `mpirun -q`, or `OMPI_MCA_orte_execute_quiet=1` in the
///   environment, leaves only the report.
/// - Any other error: the other ranks may wait for this one for ever. This rank reports, what it has
///   printed is flushed, and `MPI_Abort` ends the whole job at once with the status. There is no return.
///
/// The library has to provide `threads`; it is asked for `.serialized` where that is more.
///
/// The status of an error that is no `JobError` is 1. `report` writes one line for the user, on this rank;
/// nothing else here prints. Call this once in a process, on the thread that is to communicate.
public func withMPI(
  threads: ThreadLevel = .funneled,
  report: (JobFailure) -> Void,
  _ body: (borrowing Communicator) throws -> Void
) -> Int32 {
  do {
    let world = try MPILifetime.start(threads: threads)
    let status = run(body, in: world, report: report)
    try MPILifetime.finish()
    return status
  } catch {
    let failure = JobFailure(error)
    report(failure)
    return failure.exitStatus
  }
}

/// An error that knows how the job should end.
public protocol JobError: Error {
  /// The exit status of the program, not 0.
  var exitStatus: Int32 { get }
  /// Whether every rank throws this error at the same point: a wrong configuration that all of them
  /// read. When only one rank claims so, the job hangs; `Communicator.together` makes it true.
  var isCollective: Bool { get }
}

/// An error that ended the job, and where it was thrown.
public struct JobFailure: CustomStringConvertible, Sendable {
  public let error: any Error
  /// Where it was thrown; `nil` when every rank has it.
  public let origin: RankLocation?
  /// The status with which the program should exit.
  public let exitStatus: Int32

  init(_ error: any Error, origin: RankLocation? = nil) {
    self.error = error
    self.origin = origin
    self.exitStatus = (error as? any JobError)?.exitStatus ?? 1
  }

  /// `rank 2 on host node3: <error>`, or `<error>` alone when every rank has it.
  public var description: String {
    origin.map { "\($0): \(error)" } ?? "\(error)"
  }
}

/// A rank and the host it runs on.
public struct RankLocation: Equatable, Sendable, CustomStringConvertible {
  public let rank: Int
  public let hostName: String

  public var description: String { "rank \(rank) on host \(hostName)" }
}

/// Start and end of MPI in this process, for what cannot be a scope.
package enum MPILifetime {
  package static func start(threads: ThreadLevel) throws(MPIError) -> Communicator {
    precondition(!MPIEnvironment.isStarted, "MPI starts once in a process")
    var provided: Int32 = 0
    try check("MPI_Init_thread", cmpi_init(max(threads, .serialized).rawValue, &provided))
    let world = try Communicator(cmpi_comm_world(), odometer: Odometer())
    guard provided >= threads.rawValue else {
      throw .refused(
        "MPI_Init_thread", cmpi_err_other(),
        "the library provides threads \(ThreadLevel(rawValue: provided)!), \(threads) is needed")
    }
    return world
  }

  package static func finish() throws(MPIError) {
    try check("MPI_Finalize", MPI_Finalize())
  }
}

extension Communicator {
  /// This rank, by its number here, and its host.
  public var location: RankLocation {
    RankLocation(rank: rank, hostName: MPIEnvironment.processorName)
  }
}

/// Runs `body`; returns the status when it ends well or every rank has failed alike.
private func run(
  _ body: (borrowing Communicator) throws -> Void, in world: borrowing Communicator,
  report: (JobFailure) -> Void
) -> Int32 {
  do {
    try body(world)
    return 0
  } catch {
    guard world.size == 1 || (error as? any JobError)?.isCollective == true else {
      abort(JobFailure(error, origin: world.location), report: report)
    }
    let failure = JobFailure(error)
    if world.rank == 0 { report(failure) }
    return failure.exitStatus
  }
}

private func abort(_ failure: JobFailure, report: (JobFailure) -> Void) -> Never {
  report(failure)
  cmpi_abort(failure.exitStatus)
}
