/// An exact fraction in lowest terms; the denominator is positive. What does not fit in 64 bits has no value.
public struct Rational: Sendable, Hashable {
  public let numerator: Int
  public let denominator: Int

  public init(_ integer: Int) { (numerator, denominator) = (integer, 1) }

  /// The fraction in lowest terms; nil when the denominator is 0 or a number does not fit.
  public init?(_ numerator: Int, over denominator: Int) {
    let divisor = Self.greatestCommonDivisor(numerator.magnitude, denominator.magnitude)
    guard denominator != 0, divisor > 0 else { return nil }
    let isNegative = (numerator < 0) != (denominator < 0)
    let magnitude = numerator.magnitude / divisor
    guard let below = Int(exactly: denominator.magnitude / divisor), let above = Int(exactly: magnitude)
    else { return nil }
    (self.numerator, self.denominator) = (isNegative ? -above : above, below)
  }

  /// The value of decimal digits such as `36`, `36.50` or `.5`, without a sign.
  init?(decimal text: some StringProtocol) {
    let parts = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
    var fraction = parts.count > 1 ? String(parts[1]) : ""
    while fraction.last == "0" { fraction.removeLast() }
    guard let digits = Int(String(parts[0]) + fraction), let scale = Self.powerOfTen(fraction.count) else {
      return nil
    }
    self.init(digits, over: scale)
  }

  func adding(_ other: Rational) -> Rational? {
    let left = numerator.multipliedReportingOverflow(by: other.denominator)
    let right = other.numerator.multipliedReportingOverflow(by: denominator)
    let sum = left.partialValue.addingReportingOverflow(right.partialValue)
    let below = denominator.multipliedReportingOverflow(by: other.denominator)
    guard !left.overflow, !right.overflow, !sum.overflow, !below.overflow else { return nil }
    return Rational(sum.partialValue, over: below.partialValue)
  }

  func subtracting(_ other: Rational) -> Rational? { other.negated().flatMap(adding) }

  func multiplied(by other: Rational) -> Rational? {
    // Crosswise reduction first: what fits in the end shall not overflow on the way.
    guard let first = Rational(numerator, over: other.denominator),
      let second = Rational(other.numerator, over: denominator)
    else { return nil }
    let above = first.numerator.multipliedReportingOverflow(by: second.numerator)
    let below = first.denominator.multipliedReportingOverflow(by: second.denominator)
    guard !above.overflow, !below.overflow else { return nil }
    return Rational(above.partialValue, over: below.partialValue)
  }

  /// Nil by zero.
  func divided(by other: Rational) -> Rational? {
    Rational(other.denominator, over: other.numerator).flatMap(multiplied(by:))
  }

  func negated() -> Rational? { Rational(-1).multiplied(by: self) }

  private static func powerOfTen(_ exponent: Int) -> Int? {
    guard exponent <= 18 else { return nil }
    return (0..<exponent).reduce(1) { power, _ in power * 10 }
  }

  private static func greatestCommonDivisor(_ a: UInt, _ b: UInt) -> UInt {
    var (a, b) = (a, b)
    while b != 0 { (a, b) = (b, a % b) }
    return a
  }
}
