import Foundation
import MPI

/// Whether this process is a rank of a job: it was started by a launcher of Open MPI, MPICH or Slurm.
let underMPIRun: Bool = {
  let environment = ProcessInfo.processInfo.environment
  return ["OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "PMIX_RANK"].contains { environment[$0] != nil }
}()

/// The communicator of all ranks. MPI starts at the first use, which is on all ranks the same test, and
/// ends when the process exits.
@MainActor let world: Communicator = {
  do {
    let world = try MPILifetime.start(threads: .funneled)
    atexit { try? MPILifetime.finish() }
    return world
  } catch {
    fatalError("\(error)")
  }
}()

/// Whether the ranks compare their counts and roots before each collective operation.
var checksAgreement: Bool {
  #if DEBUG
    true
  #else
    false
  #endif
}

/// The error of `body`, which other than `#expect(throws:)` stays on this actor.
func errorThrown(by body: () throws -> Void) -> (any Error)? {
  do {
    try body()
    return nil
  } catch {
    return error
  }
}
