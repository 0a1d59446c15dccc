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
    guard let bytes = FileManager.default.contents(atPath: path) else {
      throw TelemetryError(path: path, problem: "expected the lines of a run, found no file that can be read")
    }
    let decoder = JSONDecoder()
    var result: [Line] = []
    for line in bytes.prefix(byteCount ?? bytes.count).split(separator: UInt8(ascii: "\n")) {
      guard let value = try? decoder.decode(Line.self, from: Data(line)) else {
        throw TelemetryError(
          path: "\(path):\(result.count + 1)",
          problem: "expected a line of \(name), found \(String(decoding: line.prefix(40), as: UTF8.self))")
      }
      result.append(value)
    }
    return result
  }
}
