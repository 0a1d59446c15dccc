internal import Names

/// A configuration that cannot be run: what was expected, what was found and where, in one line.
public struct ConfigurationError: Error, Equatable, Sendable, CustomStringConvertible {
  /// File and line (`examples/a.yaml:12`) or the override (`--set training.rounds=many`); empty if neither applies.
  public var origin: String
  /// The key's path, as in `training.learning-rate`; empty for an error of the whole file.
  public var keyPath: String
  /// What was expected and what was found.
  public var problem: String

  public init(origin: String = "", keyPath: String, problem: String) {
    self.origin = origin
    self.keyPath = keyPath
    self.problem = problem
  }

  public var description: String {
    [origin, keyPath, problem].filter { !$0.isEmpty }.joined(separator: ": ")
  }
}

extension ConfigurationError {
  /// The error of a name that is not among the valid ones; it suggests the nearest.
  ///
  /// Also for names that only the model or the data can judge, such as `adapter.targets`.
  public init(origin: String = "", keyPath: String, unknown name: String, valid: [String]) {
    let suggestion =
      nearestNames(to: name, among: valid, limit: 1).first.map { "; did you mean \($0)?" } ?? ""
    let expected = (valid.count == 1 ? "" : "one of ") + valid.joined(separator: ", ")
    self.init(
      origin: origin, keyPath: keyPath,
      problem: "expected \(expected); found \(shown(name))\(suggestion)")
  }
}

/// A piece of a user's text as an error line shows it: on one line, and not too long.
func shown(_ text: String) -> String {
  let line = text.map { $0.isNewline ? " " : String($0) }.joined()
  return line.count > 60 ? line.prefix(57) + "..." : line
}
