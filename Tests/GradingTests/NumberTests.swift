import Testing

@testable import Grading

@Suite struct FinalNumberTests {
  @Test(arguments: [
    ("#### 72", 72, 1), ("She sold 48+24 = <<48+24=72>>72 clips.\n#### 72", 72, 1),
    ("#### 1,234,567", 1_234_567, 1),
    ("#### $18", 18, 1), ("#### 36.0", 36, 1), ("#### 36.50", 73, 2), ("#### -7", -7, 1),
    ("#### \u{2212}7", -7, 1),
    ("#### -$5", -5, 1), ("#### $-5", -5, 1), ("#### 25%", 25, 1), ("#### 12.", 12, 1), ("#### 3/4", 3, 4),
    ("#### .5", 1, 2), ("#### 5 apples, 3 pears", 5, 1), ("#### 5 #### 6", 5, 1),
    ("The answer is 113.", 113, 1),
    ("2 boxes and 3 boxes make 5", 5, 1), ("5-3", 3, 1), ("(4)-3", 3, 1), ("3, 4", 4, 1), ("1,23", 23, 1),
    ("1,2345", 2345, 1), ("about 0.10 of it", 1, 10), ("7/0 or 8", 8, 1),
  ])
  func found(answer: String, numerator: Int, denominator: Int) {
    #expect(FinalNumber.value(of: answer) == Rational(numerator, over: denominator))
  }

  @Test(arguments: [
    "", "none", "####", "5 apples ####", "#### nothing", "#### 7/0", "#### 99999999999999999999",
    "5 or 99999999999999999999",
  ])
  func notFound(answer: String) { #expect(FinalNumber.value(of: answer) == nil) }
}

@Suite struct ExpressionValueTests {
  @Test(arguments: [
    ("63 + 50", 113, 1), ("2+3*4", 14, 1), ("(2+3)*4", 20, 1), ("10-3-2", 5, 1), ("24/4/2", 3, 1),
    ("-3--2", -1, 1),
    ("-(2 + 3)", -5, 1), ("0.1 + 0.2", 3, 10), ("1/3*3", 1, 1), ("$1,500 × 2", 3000, 1), ("6 ÷ 4", 3, 2),
    ("( 76.0 - 25.0 )", 51, 1), ("7", 7, 1),
  ])
  func computed(expression: String, numerator: Int, denominator: Int) {
    #expect(ExpressionValue.value(of: expression) == Rational(numerator, over: denominator))
  }

  @Test(arguments: ["", "2 +", "(2", "2)", "2 2", "a", "2//3", "1/0", "1/(2-2)", "9223372036854775807 + 1"])
  func refused(expression: String) { #expect(ExpressionValue.value(of: expression) == nil) }

  @Test func depthIsLimited() {
    let within = { (count: Int) in
      ExpressionValue.value(
        of: String(repeating: "(", count: count) + "1" + String(repeating: ")", count: count))
    }
    #expect(within(60) == Rational(1))
    #expect(within(100_000) == nil)
  }

  @Test(arguments: [
    ("63 + 50 = 113 #### 113", 113), ("63 + 50 #### 9", 113), ("They have 63 + 50 = 9", 113),
    ("It is so. 3 + 4 = 7", 7), ("It is 5. 3 + 4 = 7", nil), ("<<48/2=24>>24 and <<48+24=72>>72 #### 72", 72),
    ("113 #### 113", nil),
    ("-3 #### 3", nil), ("(-3) * 2 = 6", -6), ("no sum at all", nil), ("<<broken 3 + 4 = 7", 7),
    ("<<.5*10=5>>5", 5), ("It costs $3 + $4 = $7", 7), ("Here: ...3 + 4 = 7", nil), ("", nil),
  ])
  func ofAnAnswer(answer: String, value: Int?) {
    #expect(ExpressionValue.value(ofAnswer: answer) == value.map { Rational($0) })
  }
}

@Suite struct RationalTests {
  @Test func lowestTermsAndSigns() {
    #expect(Rational(6, over: -4) == Rational(-3, over: 2))
    #expect(Rational(0, over: -4) == Rational(0))
    #expect(Rational(1, over: 0) == nil)
    #expect(Rational(Int.min, over: 2)?.numerator == Int.min / 2)
  }

  @Test func overflowHasNoValue() {
    let largest = Rational(Int.max)
    #expect(largest.adding(Rational(1)) == nil)
    #expect(largest.multiplied(by: Rational(2)) == nil)
    #expect(Rational(Int.max, over: 2)?.multiplied(by: Rational(2)) == largest)
    #expect(Rational(decimal: "0.0000000000000000001") == nil)
    #expect(Rational(decimal: "1.000000000000000000000") == Rational(1))
  }
}
