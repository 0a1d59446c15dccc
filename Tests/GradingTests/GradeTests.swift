import TestSupport
import Testing

@testable import Grading

@Suite struct ReferencesTests {
  private let folder: TemporaryFolder
  private var path: String { folder.path(of: "test.jsonl") }

  init() throws { folder = try TemporaryFolder() }

  private func read(_ text: String, _ grader: Grader) throws -> References {
    try folder.write(text, to: "test.jsonl")
    return try References(path: path, grader: grader)
  }

  private func only(_ line: String, _ grader: Grader) throws -> Reference {
    try #require(try read(line + "\n", grader).first)
  }

  @Test func number() throws {
    let line =
      #"{"prompt": "q", "answer": "63 + 50 = 113 #### 113", "group": "Addition", "number": "113", "expression": "63 + 50"}"#
    let reference = try only(line, .number)
    #expect(reference.group == "Addition")
    #expect(reference.solution == .number(Rational(113), expression: "63 + 50"))
    let right = try grade(answer: reference.answer, reference: reference)
    #expect(right.isExact && right.isExpressionRight == true)
    let slip = try grade(answer: "63 + 50 = 103 #### 103", reference: reference)
    #expect(!slip.isExact && slip.isExpressionRight == true)
    let guess = try grade(answer: "#### 113", reference: reference)
    #expect(guess.isExact && guess.isExpressionRight == false)
  }

  @Test func withoutExpressionThereIsNoSecondMetric() throws {
    let reference = try only(#"{"prompt": "q", "answer": "a", "number": "-1,000.50"}"#, .number)
    #expect(reference.solution == .number(Rational(-2001, over: 2)!, expression: nil))
    #expect(try grade(answer: "1 + 1 = 2", reference: reference).isExpressionRight == nil)
  }

  @Test func program() throws {
    let line = #"{"prompt": "q", "answer": "add", "tests": [{"input": [3, 4], "output": [7]}]}"#
    let reference = try only(line, .program)
    #expect(try grade(answer: " add\n", reference: reference).isExact)
    #expect(try !grade(answer: "mul", reference: reference).isExact)
    let broken = try grade(answer: "plus", reference: reference)
    #expect(!broken.isExact && broken.reason == "unknown word plus")
  }

  @Test func python() throws {
    let line =
      #"{"prompt": "q", "answer": "a", "tests": "assert f(1) == 2", "entryPoint": "f", "prefix": "x = 1\n"}"#
    #expect(try only(line, .python).solution == .python(tests: "assert f(1) == 2", prefix: "x = 1\n"))
  }

  @Test(arguments: [
    ("  x = 1", "  x = 1"), ("```python\nx = 1\n```", "x = 1\n"),
    ("Here:\n```\ny = 2\n``` or ```z```", "y = 2\n"),
    ("```", ""),
  ])
  func fences(answer: String, source: String) { #expect(pythonSource(in: answer) == source) }

  @Test func missingFile() {
    let error = #expect(throws: ReferencesError.self) { try References(path: path, grader: .number) }
    #expect(error?.description == "\(path): expected a file, found none")
  }

  @Test(arguments: [
    (Grader.number, #"{"prompt": "q", "answer": "a"}"#, "no \"number\""),
    (.number, #"{"prompt": "q", "answer": "a", "number": "many"}"#, "expected a number, found \"many\""),
    (.number, #"{"prompt": 1, "answer": "a", "number": "1"}"#, "\"prompt\""),
    (.program, #"{"prompt": "q", "answer": "a", "tests": []}"#, "at least one test"),
    (.program, #"{"prompt": "q", "answer": "a", "tests": "assert"}"#, "\"tests\""),
    (.program, #"{"prompt": "q", "answer": "a", "tests": [{"input": [1]}]}"#, "output\""),
    (.python, #"{"prompt": "q", "answer": "a", "tests": ""}"#, "at least one test"),
    (.python, "[1]", "found"), (.python, "{oops", "found"), (.python, "", "found"),
  ])
  func everyWayToBeWrong(grader: Grader, line: String, part: String) throws {
    let good = #"{"prompt": "q", "answer": "a", "number": "1", "tests": "#
    let tests = grader == .program ? #"[{"input": [1], "output": [1]}]}"# : #""pass"}"#
    let error = #expect(throws: ReferencesError.self) {
      try read("\(good)\(tests)\n\(line)\n\(good)\(tests)\n", grader)
    }
    #expect(error?.line == 2)
    let start = "\(path):2: expected a reference for the grader \"\(grader.rawValue)\", found "
    #expect(error?.description.hasPrefix(start) == true)
    #expect(error?.found.contains(part) == true || part == "found")
  }
}
