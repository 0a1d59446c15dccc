/// A value of a PEFT configuration; files of many versions carry many keys, and all of them are kept.
indirect enum PEFTValue: Codable, Sendable, Equatable {
  case null
  case bool(Bool)
  case integer(Int)
  case number(Double)
  case string(String)
  case array([PEFTValue])
  case object([String: PEFTValue])

  init(from decoder: any Decoder) throws {
    let value = try decoder.singleValueContainer()
    if value.decodeNil() {
      self = .null
    } else if let bool = try? value.decode(Bool.self) {
      self = .bool(bool)
    } else if let integer = try? value.decode(Int.self) {
      self = .integer(integer)
    } else if let number = try? value.decode(Double.self) {
      self = .number(number)
    } else if let string = try? value.decode(String.self) {
      self = .string(string)
    } else if let array = try? value.decode([PEFTValue].self) {
      self = .array(array)
    } else {
      self = .object(try value.decode([String: PEFTValue].self))
    }
  }

  func encode(to encoder: any Encoder) throws {
    var target = encoder.singleValueContainer()
    switch self {
    case .null: try target.encodeNil()
    case .bool(let value): try target.encode(value)
    case .integer(let value): try target.encode(value)
    case .number(let value): try target.encode(value)
    case .string(let value): try target.encode(value)
    case .array(let value): try target.encode(value)
    case .object(let value): try target.encode(value)
    }
  }
}

extension PEFTValue {
  /// A whole number of at least 1.
  var positiveInteger: Int? {
    switch self {
    case .integer(let value) where value >= 1: value
    case .number(let value) where value >= 1: Int(exactly: value)
    default: nil
    }
  }

  /// A finite number above 0.
  var positiveNumber: Double? {
    switch self {
    case .integer(let value) where value > 0: Double(value)
    case .number(let value) where value > 0 && value.isFinite: value
    default: nil
    }
  }

  var string: String? { if case .string(let value) = self { value } else { nil } }

  /// Whether the setting is switched off: null, false or empty.
  var isOff: Bool {
    switch self {
    case .null, .bool(false): true
    case .array(let values): values.isEmpty
    case .object(let values): values.isEmpty
    default: false
    }
  }

  /// The value as a message shows it.
  var text: String {
    switch self {
    case .null: "null"
    case .bool(let value): "\(value)"
    case .integer(let value): "\(value)"
    case .number(let value): "\(value)"
    case .string(let value): "\"\(value)\""
    case .array(let values): "a list of \(values.count)"
    case .object(let values): "an object of \(values.count)"
    }
  }

  /// A number as JSON shows it best: whole numbers without a point.
  init(_ number: Double) { self = Int(exactly: number).map { .integer($0) } ?? .number(number) }
}
