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

    /// Whether the launcher ended a job that took too long: Open MPI's has a status for it, MPICH's says so.
    public var hasTimedOut: Bool { status == 110 || standardError.contains("APPLICATION TIMED OUT") }

    /// The lines of standard error that this program wrote, among the launcher's own: without `prefix`.
    public func reports(_ prefix: String) -> [String] {
      standardError.split(whereSeparator: \.isNewline).filter { $0.hasPrefix(prefix) }
        .map { String($0.dropFirst(prefix.count)) }
    }
  }

  /// Whether this was built with Open MPI, and not with MPICH.
  public static let isOpenMPI = MPIEnvironment.libraryVersion.hasPrefix("Open MPI")

  /// What starts ranks: `MPIRUN` names it where it is not mpirun.
  public static let launcherName = ProcessInfo.processInfo.environment["MPIRUN"] ?? "mpirun"

  /// The launcher, where it is there and that of the MPI that this was built with.
  public static let launcher: URL? = {
    let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map { "\($0)/" }
    let path = (launcherName.contains("/") ? [""] : folders).map { $0 + launcherName }
      .first { FileManager.default.isExecutableFile(atPath: $0) }
    guard let path, let version = try? run([path, "--version"], ranks: nil).standardOutput,
      version.contains("Open MPI") == isOpenMPI
    else { return nil }
    return URL(filePath: path)
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

  /// Ranks share the cores of a test machine. Open MPI wants leave for that, and lets them give a core up while they
  /// wait; MPICH wants none, and has no such setting.
  private static func options(ranks: Int) -> [String] {
    let sharing = ["--oversubscribe", "--bind-to", "none", "--mca", "mpi_yield_when_idle", "1"]
    return (isOpenMPI ? sharing : []) + ["-n", "\(ranks)"]
  }

  private static func environment(_ extra: [String: String]) -> [String: String] {
    // A job that a test starts under mpirun is one of its own: it must not find the outer job's variables.
    var environment = ProcessInfo.processInfo.environment.filter { name, _ in
      !["OMPI_", "PMIX_", "PRTE_", "PMI_", "HYDI_"].contains { name.hasPrefix($0) }
    }
    environment["MPIEXEC_TIMEOUT"] = "240"
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
