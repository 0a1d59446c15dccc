/// How the answers of a data set are graded; the names are those of `dataset.json`.
public enum Grader: String, Sendable, CaseIterable, Decodable {
  /// By the final number.
  case number
  /// By running a program of `StackProgram` on tests.
  case program
  /// By running Python on tests, in `PythonSandbox`.
  case python
}

/// What became of one answer.
public struct Grade: Sendable, Equatable {
  /// Whether the answer is right: its final number, or its program on all tests.
  public let isExact: Bool
  /// Whether a calculator gets the right number from the answer's expression, whatever the answer says it comes to;
  /// nil when the reference has no expression.
  public let isExpressionRight: Bool?
  /// Why an answer is wrong, where there is more to say than that.
  public let reason: String?

  public init(isExact: Bool, isExpressionRight: Bool? = nil, reason: String? = nil) {
    self.isExact = isExact
    self.isExpressionRight = isExpressionRight
    self.reason = reason
  }
}

/// Grades an answer (without its prompt and its end token) against a reference.
///
/// - Throws: `PythonSandbox.Unavailable` when Python is to be run and cannot be run safely: that is no wrong answer.
public func grade(
  answer: String, reference: Reference, sandbox: PythonSandbox = PythonSandbox()
) throws(PythonSandbox.Unavailable) -> Grade {
  switch reference.solution {
  case .number(let number, let expression):
    return Grade(
      isExact: FinalNumber.value(of: answer) == number,
      isExpressionRight: expression.map { _ in ExpressionValue.value(ofAnswer: answer) == number })
  case .program(let tests): return gradeProgram(answer, tests)
  case .python(let tests, let prefix):
    let outcome = sandbox.run(program: prefix + pythonSource(in: answer), tests: tests)
    if case .unavailable(let reason) = outcome { throw PythonSandbox.Unavailable(reason: reason) }
    return Grade(isExact: outcome == .passed, reason: outcome.reason)
  }
}

private func gradeProgram(_ answer: String, _ tests: [StackTest]) -> Grade {
  do {
    return Grade(isExact: try StackProgram(answer).passes(tests))
  } catch {
    return Grade(isExact: false, reason: "\(error)")
  }
}

/// The answer, or what stands in its first fence of three backticks, as chat models write code.
func pythonSource(in answer: String) -> String {
  let parts = answer.split(separator: "```", maxSplits: 2, omittingEmptySubsequences: false)
  guard parts.count >= 2 else { return answer }
  // The first line of a fence names the language.
  let lines = parts[1].split(separator: "\n", maxSplits: 1, omittingEmptySubsequences: false)
  return lines.count == 2 ? String(lines[1]) : ""
}
