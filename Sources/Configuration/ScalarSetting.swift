/// A value that one scalar of the configuration can hold.
protocol ScalarSetting {
  /// What an error line says was expected, as in "a whole number".
  static var expectation: String { get }

  /// Nil if the text does not stand for such a value. `isPlain` is false for quoted text.
  init?(setting text: String, isPlain: Bool)
}

extension ScalarSetting where Self: LosslessStringConvertible {
  init?(setting text: String, isPlain: Bool) {
    guard isPlain else { return nil }
    self.init(text)
  }
}

extension Int: ScalarSetting {
  static var expectation: String { "a whole number" }
}

extension UInt64: ScalarSetting {
  static var expectation: String { "a whole number from 0 to \(UInt64.max)" }
}

extension Double: ScalarSetting {
  static var expectation: String { "a number" }

  /// Decimal notation only: no hexadecimal numbers, infinities or NaN.
  init?(setting text: String, isPlain: Bool) {
    let isDecimal = text.allSatisfy { "+-.0123456789eE".contains($0) }
    guard isPlain, isDecimal, let value = Double(text), value.isFinite else { return nil }
    self = value
  }
}

extension Bool: ScalarSetting {
  static var expectation: String { "true or false" }
}

extension String: ScalarSetting {
  static var expectation: String { "a text" }

  init?(setting text: String, isPlain: Bool) {
    self = text
  }
}
