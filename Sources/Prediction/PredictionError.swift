/// An input that no prediction can be made from: what was expected, what was found and where.
public struct PredictionError: Error, Equatable, Sendable, CustomStringConvertible {
  /// A file, a file and line, or an option.
  public let origin: String
  public let problem: String

  public init(origin: String, problem: String) {
    self.origin = origin
    self.problem = problem
  }

  public var description: String { "\(origin): \(problem)" }
}
