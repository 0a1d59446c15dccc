internal import ClientData
internal import Configuration
internal import MPI
internal import Simulation
internal import Telemetry

/// A run from its configuration to the files that it leaves.
struct FederatedRun {
  let configuration: RunConfiguration
  let folder: String
  let isQuiet: Bool
  /// Whether the folder's run goes on from its last checkpoint.
  let isResumed: Bool

  init(_ configuration: RunConfiguration, folder: String, isQuiet: Bool, isResumed: Bool = false) {
    self.configuration = configuration
    self.folder = folder
    self.isQuiet = isQuiet
    self.isResumed = isResumed
  }

  /// Opens and checks everything on all ranks, runs all rounds, and writes the folder. Returns the rounds'
  /// reports at rank 0, nothing elsewhere. A collective operation.
  func run(_ world: borrowing Communicator) throws -> [RoundReport] {
    let (rank, rankCount) = (world.rank, world.size)
    let resumed = try world.together { rank == 0 && isResumed ? try openCheckpoint() : nil }
    let (experiment, federation) = try world.together {
      try checkingInput {
        let experiment = try Experiment(configuration)
        return (experiment, try Federation(experiment, rankCount: rankCount))
      }
    }
    let directory = try world.together {
      try resumed?.directory ?? (rank == 0 ? checkingInput { try RunDirectory(creating: folder) } : nil)
    }
    if isResumed { try federation.restore(resumed?.checkpoint, world) }
    let earlier = try world.together { try resumed.map { try takeUp($0, experiment) } }
    let hosts = try world.gatherStrings(MPIEnvironment.processorName, to: 0)
    var recorder = try RunRecorder(
      directory, experiment, hosts: hosts ?? [], earlier: earlier, isQuiet: isQuiet)
    return try run(federation, directory, &recorder, world)
  }

  private func run(
    _ federation: Federation, _ directory: RunDirectory?, _ recorder: inout RunRecorder?,
    _ world: borrowing Communicator
  ) throws -> [RoundReport] {
    let hint = ResumeHint(folder: folder, rankCount: world.size)
    defer { StopNotice.disarm() }
    if let round = federation.savedRound, recorder != nil { StopNotice.arm(savedRound: round, hint) }
    do {
      let model = try federation.run(
        world,
        save: {
          try federation.save(in: directory, wallSeconds: recorder?.wallSeconds ?? 0, world)
          recorder?.tellSaved(round: federation.round, hint)
        }, observe: { try recorder?.record($0) })
      return try recorder?.finish(model) ?? []
    } catch {
      // What all ranks throw alike, such as training that diverges, would only come again.
      guard let round = federation.savedRound, recorder != nil, (error as? any JobError)?.isCollective != true
      else { throw error }
      throw StoppedRun(cause: error, savedRound: round, hint: hint)
    }
  }
}

extension FederatedRun {
  /// A run's folder and its last checkpoint.
  private struct Resumed {
    let directory: RunDirectory
    let checkpoint: Checkpoint
    let reports: [RoundReport]
  }

  /// Opens the run that is to go on, and checks that it is this one.
  private func openCheckpoint() throws -> Resumed {
    try checkingInput {
      let directory = try RunDirectory(resuming: folder)
      let checkpoint = try Checkpoint(lastOf: directory)
      try configuration.requireContinuation(of: checkpoint.configuration)
      let reports = try directory.rounds(checkpoint.record.round, within: checkpoint.record.lengths)
      return Resumed(directory: directory, checkpoint: checkpoint, reports: reports)
    }
  }

  /// Takes the folder back to where the checkpoint was saved, once nothing speaks against going on.
  private func takeUp(_ resumed: Resumed, _ experiment: Experiment) throws -> RunRecorder.Earlier {
    try checkingInput {
      try resumed.directory.requirePartition(experiment.partitionTable.csv)
      try resumed.directory.cut(to: resumed.checkpoint.record.lengths)
      return RunRecorder.Earlier(
        reports: resumed.reports, wallSeconds: resumed.checkpoint.record.wallSeconds)
    }
  }
}
