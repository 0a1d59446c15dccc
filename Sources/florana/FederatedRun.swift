internal import ClientData
internal import Configuration
internal import Foundation
internal import LinearAlgebra
internal import MPI
internal import Simulation
internal import Telemetry
internal import Transformer

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
    let (experiment, federation) = try world.togetherCheckingInput {
      let experiment = try Experiment(configuration)
      return (experiment, try Federation(experiment, rankCount: rankCount))
    }
    let origin = try origin(of: experiment, resumed, world)
    let opened = try world.together {
      try resumed?.opened ?? (rank == 0 ? checkingInput { try Opened(creating: folder) } : nil)
    }
    if isResumed { try federation.restore(resumed?.checkpoint, world) }
    let earlier = try world.together { try resumed.map { try takeUp($0, experiment) } }
    let hosts = try world.gatherStrings(MPIEnvironment.processorName, to: 0)
    var recorder = try RunRecorder(
      opened?.directory, experiment, hosts: hosts ?? [], earlier: earlier, isQuiet: isQuiet)
    return try withExtendedLifetime(opened) {
      let site = opened.flatMap { opened in origin.map { (opened.directory, $0) } }
      return try run(federation, site, &recorder, world)
    }
  }

  private func run(
    _ federation: Federation, _ site: (RunDirectory, Checkpoint.Origin)?, _ recorder: inout RunRecorder?,
    _ world: borrowing Communicator
  ) throws -> [RoundReport] {
    let hint = ResumeHint(folder: folder, rankCount: world.size)
    defer { StopNotice.disarm() }
    if let round = federation.savedRound, recorder != nil { StopNotice.arm(savedRound: round, hint) }
    do {
      let model = try federation.run(
        world,
        save: {
          try federation.save(site, wallSeconds: recorder?.wallSeconds ?? 0, world)
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

/// A run's folder, with other jobs kept out.
private struct Opened {
  let directory: RunDirectory
  private let lock: RunLock

  init(creating path: String) throws {
    directory = try RunDirectory(creating: path)
    lock = try directory.lock()
  }

  init(resuming path: String) throws {
    directory = try RunDirectory(resuming: path)
    lock = try directory.lock()
  }
}

extension FederatedRun {
  /// A run's folder and its last checkpoint.
  private struct Resumed {
    let opened: Opened
    let checkpoint: Checkpoint
    let reports: [RoundReport]
  }

  /// Opens the run that is to go on, and checks that it is this one.
  private func openCheckpoint() throws -> Resumed {
    try checkingInput {
      let opened = try Opened(resuming: folder)
      let checkpoint = try Checkpoint(lastOf: opened.directory)
      try configuration.requireContinuation(of: checkpoint.configuration)
      let record = checkpoint.record
      let reports = try opened.directory.rounds(record.round, within: record.lengths)
      return Resumed(opened: opened, checkpoint: checkpoint, reports: reports)
    }
  }

  /// What the rounds follow from, for checkpoints: at rank 0, nil where none will be saved. Refuses to go on from
  /// other files, and warns of another BLAS. A collective operation.
  private func origin(
    of experiment: Experiment, _ resumed: Resumed?, _ world: borrowing Communicator
  ) throws -> Checkpoint.Origin? {
    let isNeeded = isResumed || configuration.checkpoint.every > 0
    let threads = BLASEnvironment.threadCount
    let blas =
      "\(BLASEnvironment.coreName) with \(threads) thread\(threads == 1 ? "" : "s")"
      + ", frozen products by \(frozenProductInstructions)"
    let arithmetic = try world.gatherStrings(blas, to: 0)
    return try world.together {
      guard isNeeded, let arithmetic else { return nil }
      return try checkingInput {
        let origin = try Checkpoint.Origin(experiment, arithmetic: arithmetic)
        guard let begun = resumed?.checkpoint.record.origin else { return origin }
        try origin.requireFiles(of: begun, experiment)
        warn(ofArithmetic: origin.arithmetic, after: begun.arithmetic)
        return origin.following(begun)
      }
    }
  }

  /// Another BLAS ends in other bits, which is no reason not to go on.
  private func warn(ofArithmetic now: [String], after begun: [String]) {
    guard now != begun else { return }
    let (now, begun) = (now.joined(separator: ", "), begun.joined(separator: ", "))
    Terminal.write(
      "florana: warning: the run began on BLAS core \(begun) and goes on with \(now);"
        + " it will not end in the same bits as without a stop\n", to: .standardError)
  }

  /// Takes the folder back to where the checkpoint was saved, once nothing speaks against going on.
  private func takeUp(_ resumed: Resumed, _ experiment: Experiment) throws -> RunRecorder.Earlier {
    try checkingInput {
      try resumed.opened.directory.requirePartition(experiment.partitionTable.csv)
      try resumed.opened.directory.cut(to: resumed.checkpoint.record.lengths)
      return RunRecorder.Earlier(
        reports: resumed.reports, wallSeconds: resumed.checkpoint.record.wallSeconds)
    }
  }
}
