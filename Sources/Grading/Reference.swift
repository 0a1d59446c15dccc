public import Foundation

/// What the answer to one prompt is graded by: one line of `SPLIT.jsonl`.
public struct Reference: Sendable, Equatable {
  /// What makes an answer right.
  public enum Solution: Sendable, Equatable {
    /// The final number, and the expression that gives it where the source has one.
    case number(Rational, expression: String?)
    case program([StackTest])
    /// Python that raises when the program is wrong, and what stands before the answer when it is run.
    case python(tests: String, prefix: String)
  }

  public let prompt: String
  /// The source's own answer.
  public let answer: String
  /// The name of the row's group, if any.
  public let group: String?
  public let solution: Solution
}

extension Reference: DecodableWithConfiguration {
  private enum Key: String, CodingKey {
    case prompt, answer, group, number, expression, tests, prefix
  }

  public init(from decoder: any Decoder, configuration grader: Grader) throws {
    let fields = try decoder.container(keyedBy: Key.self)
    prompt = try fields.decode(String.self, forKey: .prompt)
    answer = try fields.decode(String.self, forKey: .answer)
    group = try fields.decodeIfPresent(String.self, forKey: .group)
    switch grader {
    case .number:
      solution = .number(
        try Self.number(in: fields), expression: try fields.decodeIfPresent(String.self, forKey: .expression))
    case .program:
      let tests = try fields.decode([StackTest].self, forKey: .tests)
      solution = .program(try Self.nonEmpty(tests, in: fields))
    case .python:
      let tests = try Self.nonEmpty(try fields.decode(String.self, forKey: .tests), in: fields)
      solution = .python(
        tests: tests, prefix: try fields.decodeIfPresent(String.self, forKey: .prefix) ?? "")
    }
  }

  private static func number(in fields: KeyedDecodingContainer<Key>) throws -> Rational {
    let text = try fields.decode(String.self, forKey: .number)
    // A number and nothing else: what the reference says must be beyond doubt.
    guard let value = ExpressionValue.value(of: text) else {
      throw DecodingError.dataCorruptedError(
        forKey: .number, in: fields, debugDescription: "expected a number, found \"\(text)\"")
    }
    return value
  }

  private static func nonEmpty<Tests: Collection>(
    _ tests: Tests, in fields: KeyedDecodingContainer<Key>
  ) throws -> Tests {
    guard tests.isEmpty else { return tests }
    throw DecodingError.dataCorruptedError(
      forKey: .tests, in: fields, debugDescription: "expected at least one test, found none")
  }
}
