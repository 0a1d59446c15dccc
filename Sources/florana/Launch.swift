internal import ArgumentParser
internal import Foundation
internal import LinearAlgebra
internal import MPI

/// How this process was started.
enum Launch {
  /// Whether this is the process that speaks for the job before MPI is started: rank 0 by what mpirun or
  /// Slurm put into the environment, or a process of its own.
  static var isFirstProcess: Bool { launchedRank.map { $0 == "0" } ?? true }

  /// Whether mpirun or another launcher started this process.
  static var isUnderLauncher: Bool { launchedRank != nil }

  private static var launchedRank: String? {
    let environment = ProcessInfo.processInfo.environment
    let names = ["OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK", "SLURM_PROCID"]
    return names.lazy.compactMap { environment[$0] }.first
  }

  /// Runs a command's body on all ranks and ends the process with its status. An error is told once.
  static func run(
    blasThreads: Int = 1, _ body: (borrowing Communicator) throws -> Void
  ) -> Never {
    let status = withMPI(report: tell) { world in
      BLASEnvironment.setThreadCount(blasThreads)
      try body(world)
    }
    exit(status)
  }

  private static func tell(_ failure: JobFailure) {
    Terminal.write("florana: \(failure)\n", to: .standardError)
  }
}

/// What every command that computes can be told about its processes.
struct LaunchOptions: ParsableArguments {
  // The ranks fill the cores, and one thread gives the same bits whatever the number of cores.
  @Option(help: "Threads of a rank's matrix products.")
  var blasThreads = 1

  func validate() throws {
    if blasThreads < 1 { throw ValidationError("--blas-threads: expected at least 1, found \(blasThreads)") }
  }
}

/// What every command that takes a configuration can be told of it.
struct ConfigurationSettings: ParsableArguments {
  @Option(name: .customLong("set"), help: "Override a key: key.path=value. May be repeated.")
  var overrides: [String] = []
}

/// A mistake in what the user gave: configuration, model, data, adapter or output folder.
struct InputError: JobError, CustomStringConvertible {
  let cause: any Error
  var exitStatus: Int32 { 2 }
  var isCollective: Bool { true }
  var description: String { "\(cause)" }
}

/// Marks the errors of reading and checking what the user gave. Called within `Communicator.together`, which
/// makes them errors of all ranks.
func checkingInput<Result>(_ body: () throws -> Result) throws -> Result {
  do { return try body() } catch { throw InputError(cause: error) }
}

extension Communicator {
  /// Reads and checks what the user gave, on every rank; a mistake is told once. A collective operation.
  func togetherCheckingInput<Result>(_ body: () throws -> Result) throws -> Result {
    try together { try checkingInput(body) }
  }
}

/// Checks that a result's file can be written, where `option` names one: told before the work, not after it.
func requireWritableFolder(of path: String?, option: String) throws {
  guard let path else { return }
  let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
  guard FileManager.default.isWritableFile(atPath: folder), isFolder(folder) else {
    throw ValidationError("\(option): expected a folder that can be written, found \(folder)")
  }
  guard !isFolder(path) else { throw ValidationError("\(option): expected a file, found the folder \(path)") }
}

/// Whether there is a folder at a path.
func isFolder(_ path: String) -> Bool {
  var isFolder = ObjCBool(false)
  return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder.boolValue
}
