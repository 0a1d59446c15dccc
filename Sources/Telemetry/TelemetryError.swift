internal import Files
internal import Foundation

/// A file or folder that cannot be written or read: what was expected, what was found and where.
public struct TelemetryError: Error, Equatable, Sendable, CustomStringConvertible {
  public var path: String
  public var problem: String

  public init(path: String, problem: String) {
    self.path = path
    self.problem = problem
  }

  init(_ error: FileError) {
    self.init(path: error.path, problem: error.problem)
  }

  public var description: String { "\(path): \(problem)" }

  /// The error of the last system call.
  static func system(_ path: String, _ attempt: String) -> TelemetryError {
    TelemetryError(path: path, problem: "\(attempt) failed: \(String(cString: strerror(errno)))")
  }
}
