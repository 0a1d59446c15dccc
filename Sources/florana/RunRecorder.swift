internal import Adapters
internal import ClientData
internal import Configuration
internal import Foundation
internal import LinearAlgebra
internal import MPI
internal import Simulation
internal import Telemetry
internal import Transformer

/// Rank 0's record of a run: the files of its folder and what the terminal shows.
struct RunRecorder {
  private let directory: RunDirectory
  private let experiment: Experiment
  private let isQuiet: Bool
  private let watch = Stopwatch()
  private var progress: ProgressReporter
  private var reports: [RoundReport]
  private let earlierSeconds: Double
  private var hasToldSaved = false

  /// What a run had done when it was stopped.
  struct Earlier {
    let reports: [RoundReport]
    let wallSeconds: Double
  }

  /// Writes what is known before the first round. Nil where there is no folder: off rank 0.
  init?(
    _ directory: RunDirectory?, _ experiment: Experiment, hosts: [String], earlier: Earlier?, isQuiet: Bool
  ) throws {
    guard let directory else { return nil }
    reports = earlier?.reports ?? []
    earlierSeconds = earlier?.wallSeconds ?? 0
    self.directory = directory
    self.experiment = experiment
    self.isQuiet = isQuiet
    progress = ProgressReporter(
      rounds: experiment.configuration.training.rounds,
      evaluateEvery: experiment.configuration.evaluate.every, isTerminal: Terminal.isTerminal,
      width: Terminal.width, isQuiet: isQuiet, output: { Terminal.write($0) })
    try directory.write(configuration: experiment.configuration.yaml())
    try directory.write(EnvironmentReport.current(hosts: hosts, resumedAfterRound: earlier?.reports.count))
    try directory.write(partition: experiment.partitionTable.csv)
    try directory.beginTrace(hosts: hosts)
    guard !isQuiet else { return }
    Terminal.write(experiment.partitionTable.text + "\n")
    if let earlier { Terminal.write("goes on after round \(earlier.reports.count)\n") }
  }

  mutating func record(_ outcome: RoundOutcome) throws {
    reports.append(outcome.report)
    try directory.append(outcome.report)
    try directory.append(outcome.layers)
    // A resumed run's spans follow those before it.
    try directory.append(
      outcome.spans.map { spans in spans.map { $0.shifted(by: earlierSeconds) } }, round: outcome.report.round
    )
    progress.report(outcome.report, elapsedSeconds: watch.elapsedSeconds)
  }

  /// Seconds that the run has taken, those before it was stopped included.
  var wallSeconds: Double { earlierSeconds + watch.elapsedSeconds }

  /// Tells at the first checkpoint how the run could go on, since a killed one cannot; `StopNotice` tells it when
  /// there is time.
  mutating func tellSaved(round: Int, _ hint: ResumeHint) {
    StopNotice.arm(savedRound: round, hint)
    guard !isQuiet, !hasToldSaved, round < experiment.configuration.training.rounds else { return }
    hasToldSaved = true
    progress.finish()
    Terminal.write("saved after round \(round); a stopped run goes on with: \(hint.command)\n")
  }

  /// Writes the final model and the summary, prints the table of all rounds, and returns their reports.
  mutating func finish(_ model: TrainedModel) throws -> [RoundReport] {
    try directory.endTrace(seconds: wallSeconds)
    let base = try model.base.map { try write($0) }
    let folder = directory.path(of: "adapter")
    try PEFTAdapter.write(model.adapter, experiment.peftConfiguration, to: folder)
    let hash = try SHA256.hexDigest(ofFileAt: folder + "/" + PEFTAdapter.weightsFileName)
    try directory.write(
      RunSummary(
        of: reports, wallSeconds: wallSeconds, adapterSHA256: hash, baseSHA256: base?.sha256))
    progress.finish()
    if !isQuiet { Terminal.write("\n" + ResultTable.text(reports) + "\n") }
    let ends = ["results: \(directory.path)", "adapter: \(folder)", "sha256: \(hash)", base?.text]
    Terminal.write(ends.compactMap { $0 }.joined(separator: "  ") + "\n")
    return reports
  }

  /// Writes the changed base model; returns its hash and what to tell of it.
  private func write(_ base: BaseWeights) throws -> (sha256: String, text: String) {
    let folder = directory.path(of: PEFTConfiguration.ownBaseFolder)
    try experiment.pretrained.write(base, to: folder)
    let stored = experiment.pretrained.storedTypes(ofLayersIn: base.layout).filter { $0 != "F32" }
    let note = stored.isEmpty ? "" : " (changed weights in F32, \(stored.joined(separator: ", ")) before)"
    let hash = try SHA256.hexDigest(ofFileAt: folder + "/" + ModelFolder.weightsFileName)
    return (hash, "base: \(folder)" + note)
  }

  /// `runs/NAME-20260131-120000` for `…/NAME.yaml`.
  static func defaultFolder(for file: String) -> String {
    let name = URL(fileURLWithPath: file).deletingPathExtension().lastPathComponent
    let formatter = DateFormatter()
    formatter.locale = Locale(identifier: "en_US_POSIX")
    formatter.dateFormat = "yyyyMMdd-HHmmss"
    return "runs/\(name)-\(formatter.string(from: Date()))"
  }
}

extension EnvironmentReport {
  /// This job, as rank 0 sees it.
  static func current(hosts: [String], resumedAfterRound: Int?) throws -> EnvironmentReport {
    EnvironmentReport(
      florana: Version.number,
      mpi: MPI(
        library: MPIEnvironment.libraryVersion, threadLevel: "\(try MPIEnvironment.threadLevel)"),
      hosts: Host.counting(hosts), cores: ProcessInfo.processInfo.activeProcessorCount,
      blas: BLAS(
        core: BLASEnvironment.coreName, configuration: BLASEnvironment.configuration,
        threads: BLASEnvironment.threadCount, frozenProducts: frozenProductInstructions),
      transports: transports(in: ProcessInfo.processInfo.environment),
      gitCommit: gitCommit(around: FileManager.default.currentDirectoryPath), startTime: currentTime(),
      commandLine: CommandLine.arguments, resumedAfterRound: resumedAfterRound)
  }
}
