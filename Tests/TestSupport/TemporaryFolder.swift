public import Foundation

/// A folder of its own for one test, removed when the value goes.
public final class TemporaryFolder {
  public let path: String

  public init() throws {
    let url = FileManager.default.temporaryDirectory.appending(path: "florana-test-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: false)
    path = url.path
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// The path of a file or folder in this one.
  public func path(of name: String) -> String { "\(path)/\(name)" }

  /// Writes a file of the folder and returns its path.
  @discardableResult
  public func write(_ bytes: some DataProtocol, to name: String) throws -> String {
    try Data(bytes).write(to: URL(filePath: path(of: name)))
    return path(of: name)
  }

  /// Writes a file of text and returns its path.
  @discardableResult
  public func write(_ text: String, to name: String) throws -> String { try write(Data(text.utf8), to: name) }

  /// The names of what lies in the folder, in ascending order.
  public func names() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: path).sorted()
  }
}

/// Lends a fresh folder's path and removes the folder afterwards.
public func withTemporaryFolder<Result>(_ body: (String) throws -> Result) throws -> Result {
  let folder = try TemporaryFolder()
  return try withExtendedLifetime(folder) { try body(folder.path) }
}

/// The text of a file.
public func text(ofFileAt path: String) throws -> String {
  try String(contentsOfFile: path, encoding: .utf8)
}
