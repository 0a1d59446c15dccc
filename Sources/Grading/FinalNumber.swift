/// The number that an answer ends in.
///
/// After the first `####` it is the first number (as GSM8K writes its answers; Cobbe et al., arXiv 2110.14168),
/// without `####` the last number of the text. Commas between groups of three digits, `$`, `%` and a point at the end
/// do not count; `36.0` is 36; `3/4` is a fraction. A hyphen is a sign unless it stands behind a digit, a letter or a
/// closing parenthesis. Numbers that do not fit in 64 bits are no answer.
public enum FinalNumber {
  public static func value(of answer: String) -> Rational? {
    guard let marker = answer.firstRange(of: "####") else { return numbers(in: answer[...]).last ?? nil }
    return numbers(in: answer[marker.upperBound...]).first ?? nil
  }

  /// Every number in order; nil for one that does not fit.
  private static func numbers(in text: Substring) -> [Rational?] {
    var scanner = NumberScanner(text)
    var found: [Rational?] = []
    while !scanner.isAtEnd {
      guard scanner.isAtNumber else {
        scanner.skip()
        continue
      }
      let isNegative = scanner.isBehindSign
      let magnitude = scanner.fraction()
      found.append(isNegative ? magnitude?.negated() : magnitude)
    }
    return found
  }
}

extension NumberScanner {
  /// Whether the number here has a sign: `-5`, `-$5`, `$-5`, but not the 3 of `5-3`.
  fileprivate var isBehindSign: Bool {
    let offset = character(at: -1) == "$" ? -2 : -1
    guard isMinus(character(at: offset)) else { return false }
    guard let before = character(at: offset - 1) else { return true }
    return !(before.isNumber || before.isLetter || before == ")")
  }

  /// A decimal, or two with a stroke between them.
  fileprivate mutating func fraction() -> Rational? {
    guard let numerator = unsignedDecimal() else {
      skipNumber()
      return nil
    }
    guard character() == "/" else { return numerator }
    skip()
    guard isAtNumber else { return numerator }
    guard let denominator = unsignedDecimal() else {
      skipNumber()
      return nil
    }
    return numerator.divided(by: denominator)
  }
}
