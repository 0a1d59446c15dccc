internal import Foundation

extension RunDirectory {
  /// The rounds of the run in a folder, as rounds.jsonl holds them.
  public static func rounds(inRunAt path: String) throws(TelemetryError) -> [RoundReport] {
    try rounds(inRunAt: path, byteCount: nil)
  }

  /// The rounds in the first `byteCount` bytes of rounds.jsonl; nil reads all.
  static func rounds(inRunAt path: String, byteCount: Int?) throws(TelemetryError) -> [RoundReport] {
    try lines(of: File.rounds, inRunAt: path, byteCount: byteCount)
  }

  /// The layers' lines of the run in a folder, as layers.jsonl holds them.
  public static func layers(inRunAt path: String) throws(TelemetryError) -> [LayerReport] {
    try lines(of: File.layers, inRunAt: path)
  }

  private static func lines<Line: Decodable>(
    of name: String, inRunAt folder: String, byteCount: Int? = nil
  ) throws(TelemetryError) -> [Line] {
    let path = URL(fileURLWithPath: folder).appendingPathComponent(name).relativePath
    return try jsonLines(ofFileAt: path, as: "a run", name, byteCount: byteCount)
  }

  /// Where and with what the run in a folder ran, as environment.json holds it.
  public static func environment(inRunAt folder: String) throws(TelemetryError) -> EnvironmentReport {
    let path = URL(fileURLWithPath: folder).appendingPathComponent(File.environment).relativePath
    guard let bytes = FileManager.default.contents(atPath: path) else {
      throw TelemetryError(
        path: path, problem: "expected a run's environment, found no file that can be read")
    }
    guard let report = try? JSONDecoder().decode(EnvironmentReport.self, from: bytes) else {
      throw TelemetryError(path: path, problem: "expected a run's environment, found \(start(of: bytes))")
    }
    return report
  }

  /// The path of the configuration of the run in a folder.
  public static func configurationPath(inRunAt folder: String) -> String {
    URL(fileURLWithPath: folder).appendingPathComponent(File.configuration).relativePath
  }
}

/// The values of a file with one JSON object a line, of which errors say that they are the lines of `whole`,
/// each a line of `part`. Where `byteCount` is given, only those first bytes are read.
public func jsonLines<Line: Decodable>(
  ofFileAt path: String, as whole: String, _ part: String, byteCount: Int? = nil
) throws(TelemetryError) -> [Line] {
  guard let bytes = FileManager.default.contents(atPath: path) else {
    throw TelemetryError(
      path: path, problem: "expected the lines of \(whole), found no file that can be read")
  }
  let decoder = JSONDecoder()
  var result: [Line] = []
  for line in bytes.prefix(byteCount ?? bytes.count).split(separator: UInt8(ascii: "\n")) {
    guard let value = try? decoder.decode(Line.self, from: Data(line)) else {
      throw TelemetryError(
        path: "\(path):\(result.count + 1)", problem: "expected a line of \(part), found \(start(of: line))")
    }
    result.append(value)
  }
  return result
}

private func start(of bytes: Data) -> String {
  let text = String(decoding: bytes.prefix(40), as: UTF8.self)
  return text.isEmpty ? "nothing" : String(text.map { $0.isNewline ? " " : $0 })
}
