public import Configuration
internal import Files
internal import Foundation
public import Telemetry

/// The state of a run after one of its rounds, in a folder of its own that is complete or not there:
/// `checkpoint/round-00000004` in the run's folder.
public struct Checkpoint: Sendable {
  public let path: String
  public let record: Record
  /// What the run was told to do.
  public let configuration: RunConfiguration

  /// checkpoint.json, which is written last.
  public struct Record: Codable, Sendable, Equatable {
    var format = Self.format
    var version = Self.version
    /// The last round that is in it.
    public let round: Int
    /// Seconds that the run had taken by then.
    public let wallSeconds: Double
    /// Bytes of the run's files that grow by lines, by name.
    public let lengths: [String: Int]
    /// What the rounds were computed from and with.
    public let origin: Origin
    /// SHA-256 of the checkpoint's other files, by name.
    let sha256: [String: String]

    static let format = "florana-checkpoint"
    static let version = 2
  }

  /// What says how to read the rest of a record.
  private struct Stamp: Decodable {
    let format: String
    let version: Int
  }

  enum File {
    static let record = "checkpoint.json"
    static let configuration = "config.yaml"
    static let server = "server.safetensors"
    static let clients = "clients.safetensors"
    /// All but the record, which holds their hashes.
    static let hashed = [configuration, server, clients]
  }

  /// Opens the last checkpoint of a run; every file has to be as it was written.
  public init(lastOf run: RunDirectory) throws {
    guard let name = Self.names(in: run.checkpointPath).last else {
      throw CheckpointError(
        path: run.checkpointPath,
        problem: "expected a checkpoint to go on from, found none; start the run again in another folder"
          + " (checkpoint.every says how often one is saved)")
    }
    path = run.checkpointPath + "/" + name
    record = try Self.record(in: path)
    for file in File.hashed { try Self.requireWhole(path + "/" + file, sha256: record.sha256[file]) }
    configuration = try RunConfiguration.load(path: path + "/" + File.configuration)
  }

  func path(of file: String) -> String { path + "/" + file }

  /// The complete checkpoints of a folder in the order of their rounds.
  static func names(in folder: String) -> [String] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return names.filter { $0.hasPrefix(prefix) && Int($0.dropFirst(prefix.count)) != nil }.sorted()
  }

  private static let prefix = "round-"

  static func name(ofRound round: Int) -> String {
    let digits = "\(round)"
    return prefix + String(repeating: "0", count: max(0, 8 - digits.count)) + digits
  }

  private static func record(in folder: String) throws -> Record {
    let path = folder + "/" + File.record
    guard let bytes = FileManager.default.contents(atPath: path) else {
      throw CheckpointError(path: path, problem: "expected a checkpoint's record, found no file to read")
    }
    let stamp = try decode(Stamp.self, bytes, path)
    guard stamp.format == Record.format else { throw otherwise(path) }
    guard stamp.version == Record.version else {
      throw CheckpointError(
        path: path, problem: "expected version \(Record.version), found \(stamp.version)")
    }
    let record = try decode(Record.self, bytes, path)
    guard name(ofRound: record.round) == (folder as NSString).lastPathComponent else {
      throw CheckpointError(path: path, problem: "expected the folder's round, found \(record.round)")
    }
    return record
  }

  private static func decode<Value: Decodable>(
    _ type: Value.Type, _ bytes: Data, _ path: String
  ) throws -> Value {
    do { return try JSONDecoder().decode(type, from: bytes) } catch { throw otherwise(path) }
  }

  private static func otherwise(_ path: String) -> CheckpointError {
    CheckpointError(path: path, problem: "expected a checkpoint's record, found otherwise")
  }

  private static func requireWhole(_ path: String, sha256 expected: String?) throws {
    guard FileManager.default.fileExists(atPath: path) else {
      throw CheckpointError(path: path, problem: "expected a part of the checkpoint, found no file")
    }
    guard try SHA256.hexDigest(ofFileAt: path) == expected else {
      throw CheckpointError(
        path: path, problem: "expected the bytes that were saved, found others: the file is damaged")
    }
  }
}

extension Checkpoint {
  /// Saves a checkpoint of a run and removes the older ones. `body` writes its tensors into the folder that it is
  /// given. A crash leaves the last complete one.
  static func save(
    _ configuration: RunConfiguration, round: Int, wallSeconds: Double, origin: Origin, in run: RunDirectory,
    _ body: (String) throws -> Void
  ) throws {
    let lengths = try run.syncedLengths()
    let name = name(ofRound: round)
    try makeWholeFolder(at: run.checkpointPath + "/" + name) { folder in
      try replaceFile(at: folder + "/" + File.configuration, with: configuration.yaml())
      try body(folder)
      let hashes = try File.hashed.map { ($0, try SHA256.hexDigest(ofFileAt: folder + "/" + $0)) }
      let record = Record(
        round: round, wallSeconds: wallSeconds, lengths: lengths, origin: origin,
        sha256: Dictionary(uniqueKeysWithValues: hashes))
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
      try replaceFile(at: folder + "/" + File.record, with: [Array(encoder.encode(record)), [0x0A]])
    }
    removeAll(in: run.checkpointPath, but: name)
  }

  /// Removes older checkpoints, and what a crash left of one that was not complete.
  private static func removeAll(in folder: String, but name: String) {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    for other in names where other.hasPrefix(prefix) && other != name {
      try? FileManager.default.removeItem(atPath: folder + "/" + other)
    }
  }
}
