/// A machine with a stack of 64-bit integers and eleven words, for programs that a model writes.
///
/// A program is words between white space, run from left to right; there are no loops. Its input lies on the stack,
/// the last number on top, and what lies there in the end, the top last, is its output. In the table the top is right:
///
///     42 -7     (     →  n  )    a whole number from -999 to 999
///     dup       ( a   →  a a )    swap  ( a b → b a )    over  ( a b → a b a )    drop  ( a → )
///     add       ( a b → a+b )     sub   ( a b → a-b )    mul   ( a b → a·b )      neg   ( a → -a )
///     max       ( a b → the larger )                     min   ( a b → the smaller )
///
/// Too few numbers on the stack, too many, a result beyond 64 bits and a program that is too long are errors.
public struct StackProgram: Sendable, Equatable {
  static let largestLiteral: Int64 = 999
  static let mostWords = 256
  static let mostNumbers = 64

  let words: [Word]

  enum Word: Sendable, Equatable {
    case literal(Int64)
    case named(Name)
  }

  enum Name: String, Sendable, CaseIterable {
    case dup, swap, over, drop, add, sub, mul, neg, max, min

    /// How many numbers it takes from the stack.
    var operandCount: Int {
      switch self {
      case .dup, .drop, .neg: 1
      case .swap, .over, .add, .sub, .mul, .max, .min: 2
      }
    }
  }

  /// Reads a program.
  public init(_ text: String) throws(StackProgramError) {
    let tokens = text.split(whereSeparator: \.isWhitespace)
    guard !tokens.isEmpty else { throw .empty }
    guard tokens.count <= Self.mostWords else { throw .tooLong(limit: Self.mostWords, found: tokens.count) }
    var words: [Word] = []
    for token in tokens { words.append(try Word(token)) }
    self.words = words
  }

  /// The stack after the program has run on `input`.
  public func output(of input: [Int64]) throws(StackProgramError) -> [Int64] {
    var stack = input
    for (position, word) in words.enumerated() {
      switch word {
      case .literal(let value): stack.append(value)
      case .named(let name): try name.apply(to: &stack, position: position)
      }
      guard stack.count <= Self.mostNumbers else { throw .stackOverflow(position: position) }
    }
    return stack
  }

  /// Whether the program gives every test's output, exactly; an error in one is no pass. No tests pass nothing.
  public func passes(_ tests: [StackTest]) -> Bool {
    !tests.isEmpty && tests.allSatisfy { (try? output(of: $0.input)) == $0.output }
  }
}

/// An input and the output that a right program gives for it.
public struct StackTest: Sendable, Equatable, Decodable {
  public let input: [Int64]
  public let output: [Int64]

  public init(input: [Int64], output: [Int64]) { (self.input, self.output) = (input, output) }
}

/// What is wrong with a program, or went wrong in it; positions count words from 0.
public enum StackProgramError: Error, Sendable, Equatable {
  case empty
  case tooLong(limit: Int, found: Int)
  case unknownWord(String)
  case literalOutOfRange(String)
  case stackUnderflow(position: Int)
  case stackOverflow(position: Int)
  case arithmeticOverflow(position: Int)
}

extension StackProgramError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .empty: "no program"
    case .tooLong(let limit, let found): "\(found) words, at most \(limit)"
    case .unknownWord(let word): "unknown word \(word)"
    case .literalOutOfRange(let literal): "literal \(literal) out of range"
    case .stackUnderflow(let position): "word \(position + 1): the stack is empty"
    case .stackOverflow(let position): "word \(position + 1): the stack is full"
    case .arithmeticOverflow(let position): "word \(position + 1): overflow"
    }
  }
}

extension StackProgram.Word {
  fileprivate init(_ token: Substring) throws(StackProgramError) {
    if let name = StackProgram.Name(rawValue: String(token)) {
      self = .named(name)
    } else if let value = Int64(token), token.first != "+" {
      guard value.magnitude <= StackProgram.largestLiteral.magnitude else {
        throw .literalOutOfRange(String(token))
      }
      self = .literal(value)
    } else {
      throw .unknownWord(String(token))
    }
  }
}

extension StackProgram.Name {
  fileprivate func apply(to stack: inout [Int64], position: Int) throws(StackProgramError) {
    guard stack.count >= operandCount else { throw .stackUnderflow(position: position) }
    let operands = Array(stack.suffix(operandCount))
    stack.removeLast(operandCount)
    guard let results = results(operands[0], operands[operandCount - 1]) else {
      throw .arithmeticOverflow(position: position)
    }
    stack += results
  }

  /// What stands in place of the operands, of which `b` is the top; nil when a number does not fit.
  private func results(_ a: Int64, _ b: Int64) -> [Int64]? {
    switch self {
    case .dup: [a, a]
    case .swap: [b, a]
    case .over: [a, b, a]
    case .drop: []
    case .add: checked(a.addingReportingOverflow(b))
    case .sub: checked(a.subtractingReportingOverflow(b))
    case .mul: checked(a.multipliedReportingOverflow(by: b))
    case .neg: checked(Int64(0).subtractingReportingOverflow(a))
    case .max: [Swift.max(a, b)]
    case .min: [Swift.min(a, b)]
    }
  }
}

private func checked(_ result: (partialValue: Int64, overflow: Bool)) -> [Int64]? {
  result.overflow ? nil : [result.partialValue]
}
