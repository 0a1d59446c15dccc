import TestSupport

extension TemporaryFolder {
  /// Writes a tensor file of these bytes and returns its path.
  func file(_ bytes: [UInt8]) throws -> String { try write(bytes, to: "model.safetensors") }

  /// Writes a tensor file of the header text and `data`, with the right length before the header.
  func file(header: String, data: [UInt8] = []) throws -> String {
    let length = UInt64(header.utf8.count).littleEndian
    return try file(withUnsafeBytes(of: length) { Array($0) } + Array(header.utf8) + data)
  }
}
