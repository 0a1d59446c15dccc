public import Foundation
internal import MPI

/// A job that a test starts as a user does: with mpirun, or as one process without it.
public final class Job {
  private let process = Process()
  private let output = Capture()
  private let errors = Capture()

  /// What a finished job left.
  public struct Outcome: Sendable {
    /// The exit status of mpirun or of the one process.
    public let status: Int32
    public let standardOutput: String
    public let standardError: String

    /// The lines of standard error that this program wrote, among the launcher's own: without `prefix`.
    public func reports(_ prefix: String) -> [String] {
      standardError.split(whereSeparator: \.isNewline).filter { $0.hasPrefix(prefix) }
        .map { String($0.dropFirst(prefix.count)) }
    }
  }

  /// The mpirun that takes Open MPI's options; nil where there is none.
  public static let launcher: URL? = {
    guard MPIEnvironment.libraryVersion.hasPrefix("Open MPI") else { return nil }
    let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
    return path.split(separator: ":").map { URL(filePath: String($0)).appending(path: "mpirun") }
      .first { FileManager.default.isExecutableFile(atPath: $0.path) }
  }()

  /// The folder of the built products, that of the test program itself.
  public static let productsFolder = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
    .deletingLastPathComponent()

  /// Starts `command` on `ranks` ranks; nil starts one process without mpirun.
  public init(
    _ command: [String], ranks: Int?, environment extra: [String: String] = [:], folder: URL? = nil
  ) throws {
    process.executableURL = ranks == nil ? URL(filePath: command[0]) : Self.launcher
    process.arguments = ranks.map { Self.options(ranks: $0) + command } ?? Array(command.dropFirst())
    process.environment = Self.environment(extra)
    process.currentDirectoryURL = folder
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = output.pipe
    process.standardError = errors.pipe
    try process.run()
    output.start()
    errors.start()
  }

  /// The process that was started: mpirun, or the one process.
  public var processIdentifier: Int32 { process.processIdentifier }

  /// Waits for the job's end.
  public func outcome() -> Outcome {
    process.waitUntilExit()
    return Outcome(
      status: process.terminationStatus, standardOutput: output.text(), standardError: errors.text())
  }

  /// Runs a job to its end.
  public static func run(
    _ command: [String], ranks: Int?, environment: [String: String] = [:], folder: URL? = nil
  ) throws -> Outcome {
    try Job(command, ranks: ranks, environment: environment, folder: folder).outcome()
  }

  /// Ranks share the cores of a test machine, so they give theirs up while they wait.
  private static func options(ranks: Int) -> [String] {
    [
      "--oversubscribe", "--bind-to", "none", "--mca", "mpi_yield_when_idle", "1", "--timeout", "120", "-n",
      "\(ranks)",
    ]
  }

  private static func environment(_ extra: [String: String]) -> [String: String] {
    // A job that a test starts under mpirun is one of its own: it must not find the outer job's variables.
    var environment = ProcessInfo.processInfo.environment.filter { name, _ in
      !["OMPI_", "PMIX_", "PRTE_"].contains { name.hasPrefix($0) }
    }
    environment["OMPI_ALLOW_RUN_AS_ROOT"] = "1"
    environment["OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"] = "1"
    environment["OMPI_MCA_btl_vader_single_copy_mechanism"] = "none"
    environment["OPENBLAS_NUM_THREADS"] = "1"
    // A backtracer that outlives its process would keep the pipes open.
    environment["SWIFT_BACKTRACE"] = "enable=no"
    return environment.merging(extra) { $1 }
  }
}

/// What a process writes to one of its streams, read as it comes so that the process never waits.
private final class Capture: @unchecked Sendable {
  let pipe = Pipe()
  private var data = Data()
  private let done = DispatchSemaphore(value: 0)

  func start() {
    Thread.detachNewThread { [self] in
      data = pipe.fileHandleForReading.readDataToEndOfFile()
      done.signal()
    }
  }

  func text() -> String {
    done.wait()
    return String(decoding: data, as: UTF8.self)
  }
}
