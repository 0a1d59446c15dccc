internal import Files
internal import Foundation

/// The folder that a run leaves behind. Only rank 0 writes.
///
/// Lines are appended round by round, so that a run that dies leaves what it had done; whole files are replaced
/// atomically.
public struct RunDirectory: Sendable {
  public let path: String

  init(at path: String) { self.path = path }

  /// Makes the folder, with those around it, for a new run.
  ///
  /// - Throws: if the folder holds another run, or what `result` names, or cannot be made.
  public init(creating path: String, for result: String? = nil) throws(TelemetryError) {
    self.init(at: path)
    for name in [File.configuration, File.rounds] + (result.map { [$0] } ?? [])
    where FileManager.default.fileExists(atPath: self.path(of: name)) {
      throw TelemetryError(
        path: path,
        problem: "expected a new or empty folder, found another run (\(name)"
          + (FileManager.default.fileExists(atPath: self.path(of: File.summary)) ? "" : ", unfinished")
          + "); name another folder with --output, or delete or move this one"
          + (hasCheckpoint ? ", or go on with it by --resume" : ""))
    }
    var isFolder = ObjCBool(false)
    if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), !isFolder.boolValue {
      throw TelemetryError(path: path, problem: "expected a folder for the run, found a file")
    }
    do throws(FileError) { try makeFolder(at: path) } catch { throw TelemetryError(error) }
  }

  /// The folder of its checkpoints.
  public var checkpointPath: String { path(of: File.checkpoint) }

  /// The path of a file or folder of the run, such as `adapter`.
  public func path(of name: String) -> String {
    URL(fileURLWithPath: path).appendingPathComponent(name).relativePath
  }

  /// Whether there is something from which the run can go on.
  private var hasCheckpoint: Bool { FileManager.default.fileExists(atPath: path(of: File.checkpoint)) }

  /// Appends a line to rounds.jsonl and the round's phases to phases.csv.
  public func append(_ report: RoundReport) throws(TelemetryError) {
    try append(report.json.line + "\n", to: File.rounds)
    let hasHeader = FileManager.default.fileExists(atPath: path(of: File.phases))
    try append((hasHeader ? "" : Self.phasesHeader) + Self.phaseLines(of: report), to: File.phases)
  }

  /// Appends a line for each layer to layers.jsonl.
  public func append(_ layers: [LayerReport]) throws(TelemetryError) {
    try append(layers.map { $0.json.line + "\n" }.joined(), to: File.layers)
  }

  /// Begins trace.json with the ranks' names, unless a run goes on in it.
  public func beginTrace(hosts: [String]) throws(TelemetryError) {
    guard !FileManager.default.fileExists(atPath: path(of: File.trace)) else { return }
    try append(TraceFormat.head(hosts: hosts), to: File.trace)
  }

  /// Appends a round's spans of all ranks to trace.json, on one clock.
  public func append(_ spans: [[TraceSpan]], round: Int) throws(TelemetryError) {
    try append(TraceFormat.lines(round: round, spans), to: File.trace)
  }

  /// Ends trace.json at this time.
  public func endTrace(seconds: Double) throws(TelemetryError) {
    try append(TraceFormat.end(seconds: seconds), to: File.trace)
  }

  /// Writes config.yaml: the configuration with its defaults written out.
  public func write(configuration yaml: String) throws(TelemetryError) {
    try write(yaml, to: File.configuration)
  }

  /// Writes environment.json. When a run goes on, the reports of the jobs before stay in it.
  public func write(_ environment: EnvironmentReport) throws(TelemetryError) {
    let last = environment.resumedAfterRound == nil ? nil : try environmentOfLastJob()
    try write((last.map(environment.following) ?? environment).json.document, to: File.environment)
  }

  /// Writes summary.json.
  public func write(_ summary: RunSummary) throws(TelemetryError) {
    try write(summary.json.document, to: File.summary)
  }

  /// Writes partition.csv: how rows are divided over clients.
  public func write(partition csv: String) throws(TelemetryError) {
    try write(csv, to: File.partition)
  }

  /// Writes any other text of the run, as a whole.
  public func write(_ text: String, to name: String) throws(TelemetryError) {
    do throws(FileError) { try replaceFile(at: path(of: name), with: text) } catch {
      throw TelemetryError(error)
    }
  }

  private func append(_ text: String, to name: String) throws(TelemetryError) {
    do throws(FileError) { try extendFile(at: path(of: name), with: text) } catch {
      throw TelemetryError(error)
    }
  }

  /// The names of the files.
  enum File {
    static let configuration = "config.yaml"
    static let environment = "environment.json"
    static let rounds = "rounds.jsonl"
    static let layers = "layers.jsonl"
    static let phases = "phases.csv"
    static let trace = "trace.json"
    static let summary = "summary.json"
    static let partition = "partition.csv"
    static let checkpoint = "checkpoint"
  }

  private static let phasesHeader = "round,phase,minimum,mean,maximum,bytes\n"

  private static func phaseLines(of report: RoundReport) -> String {
    Phase.allCases.compactMap { phase in
      report.seconds[phase].map {
        "\(report.round),\(phase.rawValue),\($0.minimum),\($0.mean),\($0.maximum),"
          + "\(report.bytes.physical(in: phase))\n"
      }
    }.joined()
  }
}
