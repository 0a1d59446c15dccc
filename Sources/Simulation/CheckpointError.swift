/// What is wrong with a checkpoint, and with which of its files.
public struct CheckpointError: Error, Sendable, Equatable, CustomStringConvertible {
  public let path: String
  public let problem: String

  public var description: String { "\(path): \(problem)" }
}
