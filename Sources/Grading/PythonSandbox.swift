internal import Foundation

/// Runs Python that a model wrote, and tests of it, where they can do no harm. Linux only.
///
/// The program has processes, a network and a file system of its own (namespaces): no network at all, nothing but
/// the system's programs and libraries and Python's folder to read, one empty folder in memory to write to. It has no rights, also when the caller is root,
/// an empty environment, and limits of time, memory, files and processes; when its time is up or it ends, all that it
/// started ends. Without any of these it is not run: the outcome is then `unavailable`.
///
/// A program that exits, prints or kills before its tests are done has not passed: passing takes a token that comes
/// into being outside. Program and tests are in one interpreter, though: whoever takes that interpreter to pieces on
/// purpose can pass wrongly.
public struct PythonSandbox: Sendable {
  /// What became of a program.
  public enum Outcome: Sendable, Equatable {
    case passed
    /// An error in the program or a test that it did not pass.
    case failed(String)
    case timedOut
    /// More memory than allowed.
    case outOfMemory
    /// The program was not run.
    case unavailable(String)

    /// Why it has not passed, in words; nil where it has.
    public var reason: String? {
      switch self {
      case .passed: nil
      case .failed(let message), .unavailable(let message): message
      case .timedOut: "out of time"
      case .outOfMemory: "out of memory"
      }
    }
  }

  /// Why programs cannot be run safely here.
  public struct Unavailable: Error, Equatable, CustomStringConvertible {
    public let reason: String
    public var description: String { "expected to be able to run Python in a sandbox, found: \(reason)" }
  }

  /// What a program may use. Memory is that of each process; files are those of each and of all together.
  public struct Limits: Sendable, Equatable {
    public var wallSeconds = 10.0
    public var cpuSeconds = 5
    public var memoryByteCount = 512 << 20
    public var fileByteCount = 16 << 20
    public var processCount = 4
    /// What the program prints beyond it is dropped.
    public var outputByteCount = 64 << 10

    public init() {}
  }

  public var limits: Limits
  /// The interpreter, Python 3.9 or newer; nil where there is none.
  public var interpreter: String?
  /// What sets up the sandbox.
  var runner = Self.runner

  public init(limits: Limits = Limits(), interpreter: String? = PythonSandbox.installedInterpreter) {
    (self.limits, self.interpreter) = (limits, interpreter)
  }

  /// The system's Python where it has one, else the first on the path.
  public static let installedInterpreter: String? = {
    let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
    let folders = ["/usr/bin"] + path.split(separator: ":").map(String.init)
    return folders.map { "\($0)/python3" }.first(where: FileManager.default.isExecutableFile)
  }()

  /// Runs the program, then the tests among its names; they have passed when nothing was raised.
  public func run(program: String, tests: String) -> Outcome {
    guard let interpreter else { return .unavailable("no python3 on the path") }
    do {
      return Outcome(
        try withFolder { folder in
          try report(of: Job(self, program: program, tests: tests, folder: folder), folder, interpreter)
        } as Report)
    } catch {
      return .unavailable("\(error)")
    }
  }

  private func report(of job: Job, _ folder: String, _ interpreter: String) throws -> Report {
    let input = folder + ".json"
    defer { try? FileManager.default.removeItem(atPath: input) }
    // A file, not a pipe: writing to a pipe whose reader has died would end this process.
    let isWritten = FileManager.default.createFile(
      atPath: input, contents: try JSONEncoder().encode(job), attributes: [.posixPermissions: 0o600])
    guard isWritten, let file = FileHandle(forReadingAtPath: input) else {
      throw CocoaError(.fileWriteUnknown)
    }
    let process = Process()
    process.executableURL = URL(filePath: interpreter)
    process.arguments = ["-I", "-S", "-c", runner]
    process.environment = [:]
    let (output, errors) = (Pipe(), Pipe())
    (process.standardInput, process.standardOutput, process.standardError) = (file, output, errors)
    try process.run()
    let text = output.fileHandleForReading.readDataToEndOfFile()
    let complaint = errors.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    if let report = try? JSONDecoder().decode(Report.self, from: text) { return report }
    let lines = String(decoding: complaint, as: UTF8.self).split(separator: "\n")
    return Report(kind: "unavailable", message: lines.last.map(String.init) ?? "\(interpreter) said nothing")
  }
}

/// Lends an empty folder, which others may look into but not write to.
private func withFolder<Result>(_ body: (String) throws -> Result) throws -> Result {
  let path = FileManager.default.temporaryDirectory.appending(path: "florana-sandbox-\(UUID().uuidString)")
    .path
  try FileManager.default.createDirectory(
    atPath: path, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o755])
  defer { try? FileManager.default.removeItem(atPath: path) }
  return try body(path)
}

/// What the runner reads.
private struct Job: Encodable {
  let program, tests, folder: String
  let wallSeconds: Double
  let cpuSeconds, memoryByteCount, fileByteCount, processCount, outputByteCount: Int

  init(_ sandbox: PythonSandbox, program: String, tests: String, folder: String) {
    (self.program, self.tests, self.folder) = (program, tests, folder)
    let limits = sandbox.limits
    wallSeconds = limits.wallSeconds
    cpuSeconds = limits.cpuSeconds
    memoryByteCount = limits.memoryByteCount
    fileByteCount = limits.fileByteCount
    processCount = limits.processCount
    outputByteCount = limits.outputByteCount
  }
}

/// What the runner prints.
private struct Report: Decodable {
  let kind: String
  let message: String
}

extension PythonSandbox.Outcome {
  fileprivate init(_ report: Report) {
    self =
      switch report.kind {
      case "passed": .passed
      case "failed": .failed(report.message)
      case "timedOut": .timedOut
      case "limit": .outOfMemory
      default: .unavailable(report.message)
      }
  }
}
