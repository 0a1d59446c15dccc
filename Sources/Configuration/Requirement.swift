/// A condition on a value, with the words that an error line uses for it.
struct Requirement<Value> {
  var text: String
  var holds: (Value) -> Bool

  static var none: Requirement { Requirement(text: "") { _ in true } }
}

extension Requirement where Value: Comparable & Numeric {
  static func atLeast(_ bound: Value) -> Requirement {
    Requirement(text: " of at least \(bound)") { $0 >= bound }
  }

  static var positive: Requirement { Requirement(text: " above 0") { $0 > 0 } }
}

extension Requirement where Value == Int {
  static func within(_ range: ClosedRange<Int>) -> Requirement {
    Requirement(text: " from \(range.lowerBound) to \(range.upperBound)") { range.contains($0) }
  }

  /// Counts of steps, epochs and rows: a round's steps number its random numbers with 20 bits.
  static var upToAMillion: Requirement { within(1...1_000_000) }
}

extension Requirement where Value == Double {
  /// From 0 to 1, without 1, and still below 1 when training rounds it to Float32.
  static var singlePrecisionShare: Requirement {
    Requirement(text: " in [0, 1) in single precision") { $0 >= 0 && Float($0) < 1 }
  }

  /// Neither 0 nor infinite when training rounds it to Float32.
  static var positiveSinglePrecision: Requirement {
    Requirement(text: " above 0 in single precision") { Float($0) > 0 && Float($0).isFinite }
  }

  /// From 0 to 1, without 1.
  static var share: Requirement { Requirement(text: " in [0, 1)") { $0 >= 0 && $0 < 1 } }

  /// From 0 to 1, without 0.
  static var positiveShare: Requirement { Requirement(text: " in (0, 1]") { $0 > 0 && $0 <= 1 } }
}

extension Requirement where Value == String {
  static var notEmpty: Requirement { Requirement(text: " that is not empty") { !$0.isEmpty } }
}
