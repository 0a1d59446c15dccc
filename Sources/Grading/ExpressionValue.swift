/// A pocket calculator for the expression that an answer begins with.
public enum ExpressionValue {
  /// The exact value of an expression of decimals with `+ - * /` (or `− × ÷`), parentheses and signs; `$` before a
  /// number does not count. Nil when the text is no expression, divides by zero or does not fit in 64 bits.
  public static func value(of expression: String) -> Rational? {
    var parser = Parser(NumberScanner(expression))
    guard let value = parser.sum(), parser.isAtEnd else { return nil }
    return value
  }

  /// The value of the answer's expression: that of its last annotation `<<48/2=24>>` if there is one, else what
  /// stands before the first `=` or `####`, from behind the last word on. Nil when there is none: a number without an
  /// operator is no expression.
  public static func value(ofAnswer answer: String) -> Rational? {
    expression(in: answer).flatMap(value(of:))
  }

  static func expression(in answer: String) -> String? {
    let text = annotation(in: answer) ?? answer[...]
    let end = ["=", "####"].compactMap { text.firstRange(of: $0)?.lowerBound }.min() ?? text.endIndex
    // The point of a sentence before it has a space behind it; that of `.5` has none.
    let expression = String(text[..<end].reversed().prefix(while: isPart).reversed())
      .replacing(". ", with: "  ").drop { !isStart($0) }
    let operators = expression.dropFirst().contains { "+*/×÷".contains($0) || isMinus($0) }
    return operators ? String(expression) : nil
  }

  private static func annotation(in answer: String) -> Substring? {
    guard let start = answer.ranges(of: "<<").last?.upperBound else { return nil }
    let rest = answer[start...]
    return rest.firstRange(of: ">>").map { rest[..<$0.lowerBound] }
  }

  private static func isPart(_ character: Character) -> Bool {
    ("0"..."9").contains(character) || " .,$()+*/×÷".contains(character) || isMinus(character)
  }

  private static func isStart(_ character: Character) -> Bool {
    ("0"..."9").contains(character) || ".($".contains(character) || isMinus(character)
  }
}

/// By recursive descent: a sum of products of factors.
private struct Parser {
  /// Parentheses and signs within each other; deeper ones are refused, lest an answer of many overflow the stack.
  private static let deepest = 64
  private var scanner: NumberScanner
  private var depth = 0

  init(_ scanner: NumberScanner) { self.scanner = scanner }

  var isAtEnd: Bool { scanner.isAtEnd }

  mutating func sum() -> Rational? {
    var value = product()
    while let left = value, let sign = next(in: "+-\u{2212}") {
      let right = product()
      value = right.flatMap { sign == "+" ? left.adding($0) : left.subtracting($0) }
    }
    return value
  }

  private mutating func product() -> Rational? {
    var value = factor()
    while let left = value, let sign = next(in: "*×/÷") {
      let right = factor()
      value = right.flatMap { "*×".contains(sign) ? left.multiplied(by: $0) : left.divided(by: $0) }
    }
    return value
  }

  private mutating func factor() -> Rational? {
    guard depth < Self.deepest else { return nil }
    depth += 1
    defer { depth -= 1 }
    if next(in: "-\u{2212}") != nil { return factor()?.negated() }
    if next(in: "(") != nil {
      guard let value = sum(), next(in: ")") != nil else { return nil }
      return value
    }
    _ = next(in: "$")
    let value = scanner.isAtNumber ? scanner.unsignedDecimal() : nil
    scanner.skipSpaces()
    return value
  }

  /// Reads one of the signs and the spaces around it, if it stands here.
  private mutating func next(in signs: String) -> Character? {
    scanner.skipSpaces()
    guard let character = scanner.character(), signs.contains(character) else { return nil }
    scanner.skip()
    scanner.skipSpaces()
    return character
  }
}
