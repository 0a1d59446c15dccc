internal import Foundation

/// An object of `config.json` with typed look-ups; every error names file and key.
struct ConfigurationTable: Sendable {
  let path: String
  private let values: [String: any Sendable]
  /// What stands before the keys in messages: `rope_parameters.` in the object of that name.
  private let prefix: String

  private init(path: String, values: [String: any Sendable], prefix: String) {
    self.path = path
    self.values = values
    self.prefix = prefix
  }

  /// Reads a file that is a JSON object.
  init(path: String) throws {
    let data: Data
    do { data = try Data(contentsOf: URL(fileURLWithPath: path)) } catch {
      throw ModelError.unreadable(
        path: path,
        reason: FileManager.default.fileExists(atPath: path) ? "permission or input error" : "no such file")
    }
    guard let object = try? JSONSerialization.jsonObject(with: data) as? [String: any Sendable] else {
      throw ModelError.unreadable(path: path, reason: "expected a JSON object")
    }
    self.init(path: path, values: object, prefix: "")
  }

  /// The keys in ascending order.
  var keys: [String] { values.keys.sorted() }

  /// The value of a key that has to be there.
  func value<Value>(_ key: String, as type: Value.Type = Value.self) throws -> Value {
    guard let value: Value = try optionalValue(key) else {
      throw ModelError.missingKey(prefix + key, path: path)
    }
    return value
  }

  /// The value of a key that may be absent or null.
  func optionalValue<Value>(_ key: String, as type: Value.Type = Value.self) throws -> Value? {
    guard let found = values[key], !(found is NSNull) else { return nil }
    guard let value = found as? Value else {
      throw wrongValue(key, expected: Self.expectation(of: type), found: Self.json(found))
    }
    return value
  }

  /// The object under a key that may be absent or null.
  func table(_ key: String) throws -> ConfigurationTable? {
    try optionalValue(key, as: [String: any Sendable].self).map {
      ConfigurationTable(path: path, values: $0, prefix: prefix + key + ".")
    }
  }

  /// A positive whole number.
  func size(_ key: String) throws -> Int {
    guard let value = try optionalSize(key) else { throw ModelError.missingKey(prefix + key, path: path) }
    return value
  }

  /// A positive whole number that may be absent or null.
  func optionalSize(_ key: String) throws -> Int? {
    guard let value: Int = try optionalValue(key) else { return nil }
    guard value > 0 else { throw wrongValue(key, expected: "a positive whole number", found: "\(value)") }
    return value
  }

  /// A positive, finite number.
  func positiveNumber(_ key: String) throws -> Double {
    let value: Double = try value(key)
    guard value > 0, value.isFinite else {
      throw wrongValue(key, expected: "a positive number", found: "\(value)")
    }
    return value
  }

  /// Refuses a size that does not divide another.
  func requireDivisor(_ key: String, of whole: String) throws {
    let (divisor, size) = (try self.size(key), try self.size(whole))
    guard size % divisor == 0 else {
      throw wrongValue(key, expected: "a divisor of \(whole) \(size)", found: "\(divisor)")
    }
  }

  /// Refuses any value of a key but `expected`; an absent key is taken for it.
  func require<Value: Equatable>(_ key: String, _ expected: Value) throws {
    guard let value: Value = try optionalValue(key), value != expected else { return }
    throw wrongValue(key, expected: Self.shown(expected), found: Self.shown(value))
  }

  /// Refuses null, where an absent key means something.
  func requireNotNull(_ key: String) throws {
    guard values[key] is NSNull else { return }
    throw wrongValue(key, expected: "a value, or no such key", found: "null")
  }

  /// Refuses a key that has a value.
  func requireAbsent(_ key: String) throws {
    guard let found = values[key], !(found is NSNull) else { return }
    throw wrongValue(key, expected: "none", found: Self.json(found))
  }

  func wrongValue(_ key: String, expected: String, found: String) -> ModelError {
    .wrongValue(key: prefix + key, path: path, expected: expected, found: found)
  }

  private static func shown<Value>(_ value: Value) -> String {
    value is String ? "\"\(value)\"" : "\(value)"
  }

  private static func expectation(of type: Any.Type) -> String {
    switch type {
    case is Int.Type: "a whole number"
    case is Double.Type: "a number"
    case is Bool.Type: "true or false"
    case is String.Type: "a text"
    case is [any Sendable].Type: "a list"
    default: "an object"
    }
  }

  /// A value as the file holds it, on one line.
  private static func json(_ value: any Sendable) -> String {
    let data = try? JSONSerialization.data(withJSONObject: value, options: [.fragmentsAllowed, .sortedKeys])
    return data.map { String(decoding: $0, as: UTF8.self) } ?? "\(value)"
  }
}
