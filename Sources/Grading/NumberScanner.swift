/// Reads numbers as people write them, at a place of a text.
struct NumberScanner {
  private let text: [Character]
  private(set) var index: Int

  init(_ text: some StringProtocol) {
    self.text = Array(text)
    index = 0
  }

  var isAtEnd: Bool { index == text.count }

  func character(at offset: Int = 0) -> Character? {
    text.indices.contains(index + offset) ? text[index + offset] : nil
  }

  mutating func skip(_ count: Int = 1) { index += count }

  mutating func skipSpaces() {
    while character()?.isWhitespace == true { index += 1 }
  }

  /// Digits with or without commas between groups of three, and a fraction after a point, at this place; `36.`
  /// leaves the point. Nil, and nothing is read, when there is no number or it does not fit in 64 bits; then
  /// `skipNumber` goes on behind it.
  mutating func unsignedDecimal() -> Rational? {
    let start = index
    guard let value = Rational(decimal: digits()) else {
      index = start
      return nil
    }
    return value
  }

  /// Goes on behind the digits at this place, whether or not they have a value.
  mutating func skipNumber() { _ = digits() }

  /// Whether a number begins here.
  var isAtNumber: Bool {
    isDigit() || (character() == "." && isDigit(at: 1))
  }

  private mutating func digits() -> String {
    var digits = run()
    while character() == ",", (1...3).allSatisfy({ isDigit(at: $0) }), !isDigit(at: 4), !digits.isEmpty {
      index += 1
      digits += run()
    }
    guard character() == ".", isDigit(at: 1) else { return digits }
    index += 1
    return digits + "." + run()
  }

  private mutating func run() -> String {
    var digits = ""
    while isDigit() {
      digits.append(text[index])
      index += 1
    }
    return digits
  }

  private func isDigit(at offset: Int = 0) -> Bool {
    character(at: offset).map { ("0"..."9").contains($0) } ?? false
  }
}

/// The hyphen, and the minus of typography.
func isMinus(_ character: Character?) -> Bool { character == "-" || character == "\u{2212}" }
