import Testing

@testable import Grading

@Suite struct StackProgramTests {
  @Test(
    arguments: [
      ("dup", [3], [3, 3]), ("swap", [3, 4], [4, 3]), ("over", [3, 4], [3, 4, 3]), ("drop", [3, 4], [3]),
      ("add", [3, 4], [7]), ("sub", [3, 4], [-1]), ("mul", [3, 4], [12]), ("neg", [3], [-3]),
      ("max", [3, 4], [4]),
      ("min", [3, 4], [3]), ("-999 999", [], [-999, 999]), (" dup\n mul\t1 add ", [5], [26]),
    ] as [(String, [Int64], [Int64])])
  func words(text: String, input: [Int64], output: [Int64]) throws {
    #expect(try StackProgram(text).output(of: input) == output)
  }

  @Test(arguments: [
    ("", StackProgramError.empty), ("add square", .unknownWord("square")), ("Add", .unknownWord("Add")),
    ("+3", .unknownWord("+3")), ("1000", .literalOutOfRange("1000")), ("-1000", .literalOutOfRange("-1000")),
    (String(repeating: "dup ", count: 257), .tooLong(limit: 256, found: 257)),
  ])
  func malformed(text: String, error: StackProgramError) {
    #expect(throws: error) { try StackProgram(text) }
  }

  @Test(arguments: [
    ("dup add add", [1], StackProgramError.stackUnderflow(position: 2)),
    ("mul", [Int64.max, 2], .arithmeticOverflow(position: 0)),
    ("neg", [Int64.min], .arithmeticOverflow(position: 0)),
    ("1 sub", [Int64.min], .arithmeticOverflow(position: 1)),
    (String(repeating: "dup ", count: 64), [1], .stackOverflow(position: 63)),
  ])
  func failing(text: String, input: [Int64], error: StackProgramError) throws {
    let program = try StackProgram(text)
    #expect(throws: error) { try program.output(of: input) }
  }

  @Test func passesAllTestsOrNone() throws {
    let tests = [StackTest(input: [3, 4], output: [25]), StackTest(input: [0, -2], output: [4])]
    #expect(try StackProgram("dup mul swap dup mul add").passes(tests))
    #expect(try !StackProgram("25").passes(tests))
    #expect(try !StackProgram("drop drop drop").passes(tests))
    #expect(try !StackProgram("dup mul swap dup mul add").passes([]))
    // What is left over on the stack counts.
    #expect(try !StackProgram("over dup mul swap drop").passes(tests))
  }
}
