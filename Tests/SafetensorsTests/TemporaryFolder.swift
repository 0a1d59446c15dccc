import Foundation

/// A folder of its own for one test, removed when the value goes.
final class TemporaryFolder {
  let path: String

  init() throws {
    let url = FileManager.default.temporaryDirectory.appending(path: "safetensors-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    path = url.path
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// Writes `bytes` as a file of the folder and returns its path.
  func file(_ bytes: [UInt8], name: String = "model.safetensors") throws -> String {
    let file = "\(path)/\(name)"
    try Data(bytes).write(to: URL(filePath: file))
    return file
  }

  /// Writes a tensor file of the header text and `data`, with the right length before the header.
  func file(header: String, data: [UInt8] = []) throws -> String {
    let length = UInt64(header.utf8.count).littleEndian
    return try file(withUnsafeBytes(of: length) { Array($0) } + Array(header.utf8) + data)
  }
}
