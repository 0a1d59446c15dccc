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

extension Requirement where Value == Double {
  /// From 0 to 1, without 1.
  static var share: Requirement { Requirement(text: " in [0, 1)") { $0 >= 0 && $0 < 1 } }

  /// From 0 to 1, without 0.
  static var positiveShare: Requirement { Requirement(text: " in (0, 1]") { $0 > 0 && $0 <= 1 } }
}

extension Requirement where Value == String {
  static var notEmpty: Requirement { Requirement(text: " that is not empty") { !$0.isEmpty } }
}
