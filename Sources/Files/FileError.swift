/// A file or folder that could not be written: at what step, and the system's reason.
public struct FileError: Error, Sendable, Equatable, CustomStringConvertible {
  public let path: String
  public let step: Step
  public let reason: String

  /// The steps of writing, as a message names them.
  public enum Step: String, Sendable {
    case makeFolder = "make the folder"
    case createSibling = "create a temporary file beside it"
    case open, write, sync, close, rename, cut
  }

  /// What was expected and what was found, without the path.
  public var problem: String { "expected to write it, found: \(step.rawValue): \(reason)" }

  public var description: String { "\(path): \(problem)" }
}
