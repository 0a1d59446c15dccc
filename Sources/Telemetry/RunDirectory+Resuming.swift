internal import Files
internal import Foundation

extension RunDirectory {
  /// The files that grow by lines, round by round.
  private static let growing = [File.rounds, File.layers, File.phases, File.trace]

  /// Opens the folder of a run that is to go on.
  public init(resuming path: String) throws(TelemetryError) {
    self.init(at: path)
    guard FileManager.default.fileExists(atPath: configurationPath) else {
      throw TelemetryError(
        path: path, problem: "expected a run to go on with, found no \(File.configuration)")
    }
  }

  /// The path of config.yaml.
  public var configurationPath: String { path(of: File.configuration) }

  /// The lengths in bytes of the files that grow by lines, by name, once these bytes are on the disk.
  public func syncedLengths() throws(TelemetryError) -> [String: Int] {
    var lengths: [String: Int] = [:]
    for name in Self.growing {
      lengths[name] = try length(of: name)
    }
    return lengths
  }

  /// The rounds 1 to `count` of the lines that files of these lengths hold; refuses files that are shorter, and
  /// lines of other rounds.
  public func rounds(_ count: Int, within lengths: [String: Int]) throws(TelemetryError) -> [RoundReport] {
    for name in Self.growing {
      let (expected, found) = (lengths[name] ?? 0, try length(of: name))
      guard found >= expected else {
        throw TelemetryError(
          path: path(of: name),
          problem: "expected at least \(expected) bytes, found \(found): it is cut short")
      }
    }
    let reports = try Self.rounds(inRunAt: path, byteCount: lengths[File.rounds] ?? 0)
    guard reports.map(\.round).elementsEqual(1..<count + 1) else {
      throw TelemetryError(
        path: path(of: File.rounds),
        problem: "expected the lines of rounds 1 to \(count), found \(reports.count) lines of others")
    }
    return reports
  }

  private func length(of name: String) throws(TelemetryError) -> Int {
    do throws(FileError) { return try syncedLength(ofFileAt: path(of: name)) } catch {
      throw TelemetryError(error)
    }
  }

  /// What environment.json says; nil without one.
  func environmentOfLastJob() throws(TelemetryError) -> EnvironmentReport? {
    guard let bytes = FileManager.default.contents(atPath: path(of: File.environment)) else { return nil }
    guard let report = try? JSONDecoder().decode(EnvironmentReport.self, from: bytes) else {
      throw TelemetryError(
        path: path(of: File.environment),
        problem: "expected the environment of the run's last job, which is kept, found otherwise")
    }
    return report
  }

  /// Refuses to go on with other clients: partition.csv has to be this text.
  public func requirePartition(_ csv: String) throws(TelemetryError) {
    let bytes = FileManager.default.contents(atPath: path(of: File.partition))
    guard bytes.map({ $0.elementsEqual(csv.utf8) }) == true else {
      throw TelemetryError(
        path: path(of: File.partition),
        problem: "expected the rows of each client as the run began, found others; the data have changed")
    }
  }

  /// Takes away what was written after the files had these lengths, and the summary: the run is unfinished.
  public func cut(to lengths: [String: Int]) throws(TelemetryError) {
    do throws(FileError) {
      for name in Self.growing where FileManager.default.fileExists(atPath: path(of: name)) {
        try cutFile(at: path(of: name), to: lengths[name] ?? 0)
      }
    } catch { throw TelemetryError(error) }
    try? FileManager.default.removeItem(atPath: path(of: File.summary))
  }
}
