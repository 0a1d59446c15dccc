internal import Configuration
internal import MPI
internal import Simulation
internal import Telemetry

/// A run from its configuration to the files that it leaves.
struct FederatedRun {
  let configuration: RunConfiguration
  let folder: String
  let isQuiet: Bool

  init(_ configuration: RunConfiguration, folder: String, isQuiet: Bool) {
    self.configuration = configuration
    self.folder = folder
    self.isQuiet = isQuiet
  }

  /// Opens and checks everything on all ranks, runs all rounds, and writes the folder. Returns the rounds'
  /// reports at rank 0, nothing elsewhere. A collective operation.
  func run(_ world: borrowing Communicator) throws -> [RoundReport] {
    let (rank, rankCount) = (world.rank, world.size)
    let (experiment, federation) = try world.together {
      try checkingInput {
        let experiment = try Experiment(configuration)
        return (experiment, try Federation(experiment, rankCount: rankCount))
      }
    }
    let directory = try world.together {
      rank == 0 ? try checkingInput { try RunDirectory(creating: folder) } : nil
    }
    let hosts = try world.gatherStrings(MPIEnvironment.processorName, to: 0)
    var recorder = try RunRecorder(directory, experiment, hosts: hosts ?? [], isQuiet: isQuiet)
    let model = try federation.run(world) { try recorder?.record($0, $1) }
    return try recorder?.finish(model) ?? []
  }
}
