/// The keys that a section of the configuration may hold, by their names in the file.
protocol SectionKey: RawRepresentable<String>, CaseIterable, Hashable {}

/// One section while it is decoded: no key in it is unknown, and every value is asked for by its type.
struct Section<Key: SectionKey> {
  /// The section's own path; empty for the whole file.
  let path: String
  /// Where the section was written, or the section around it if it was not.
  let origin: String
  private let entries: [String: SettingNode.Entry]

  /// Refuses unknown keys; a node that is absent or null is an empty section.
  init(_ node: SettingNode?, path: String, around origin: String) throws(ConfigurationError) {
    self.path = path
    self.origin = node?.origin ?? origin
    var entries: [String: SettingNode.Entry] = [:]
    for entry in try Self.entries(of: node, path) {
      guard Key(rawValue: entry.key) != nil else {
        let keyPath = Self.join(path, shown(entry.key))
        throw ConfigurationError(
          origin: entry.origin, keyPath: keyPath, unknown: entry.key, valid: Key.allCases.map(\.rawValue))
      }
      entries[entry.key] = entry
    }
    self.entries = entries
  }

  private static func entries(
    of node: SettingNode?, _ path: String
  ) throws(ConfigurationError) -> [SettingNode.Entry] {
    guard let node, !node.isNull else { return [] }
    if case .section(let entries) = node.content { return entries }
    throw ConfigurationError(
      origin: node.origin, keyPath: path, problem: "expected a section of keys, found \(node.found)")
  }

  private static func join(_ path: String, _ key: String) -> String {
    path.isEmpty ? key : "\(path).\(key)"
  }

  /// The path of a key of this section.
  func keyPath(_ key: Key) -> String { Self.join(path, key.rawValue) }

  /// The section below `key`; empty if it is absent.
  func section<Child: SectionKey>(
    _ key: Key, _ keys: Child.Type = Child.self
  ) throws(ConfigurationError) -> Section<Child> {
    try Section<Child>(entries[key.rawValue]?.value, path: keyPath(key), around: origin)
  }

  /// What is written at `key`; nil if it is absent.
  func node(_ key: Key) -> SettingNode? { entries[key.rawValue]?.value }

  /// An error about the value of `key`, at the place where the key is written.
  func error(_ key: Key, _ problem: String) -> ConfigurationError {
    ConfigurationError(
      origin: entries[key.rawValue]?.value.origin ?? origin, keyPath: keyPath(key), problem: problem)
  }

  /// Whether the key is there with a value other than null.
  func holds(_ key: Key) -> Bool {
    entries[key.rawValue].map { !$0.value.isNull } ?? false
  }

  /// Whether the key is written at all, be it as null.
  func contains(_ key: Key) -> Bool { entries[key.rawValue] != nil }

  /// Refuses a key that has no meaning beside the others; `--set key=null` takes it away.
  func refuse(_ keys: Key..., onlyWith condition: String) throws(ConfigurationError) {
    for key in keys where holds(key) {
      let found = entries[key.rawValue]!.value.found
      throw error(key, "expected only with \(condition); found \(found); remove it or set it to null")
    }
  }

  /// A value that may be absent or null.
  func optional<Value: ScalarSetting>(
    _ key: Key, _ requirement: Requirement<Value> = .none
  ) throws(ConfigurationError) -> Value? {
    guard holds(key), let node = entries[key.rawValue]?.value else { return nil }
    return try scalar(key, node, requirement)
  }

  /// A value that must be there.
  func required<Value: ScalarSetting>(
    _ key: Key, _ requirement: Requirement<Value> = .none
  ) throws(ConfigurationError) -> Value {
    if let value = try optional(key, requirement) { return value }
    throw error(key, "expected \(Value.expectation)\(requirement.text), found nothing; the key is required")
  }

  /// A value with a default for an absent key; null is not a value.
  func value<Value: ScalarSetting>(
    _ key: Key, default standard: Value, _ requirement: Requirement<Value> = .none
  ) throws(ConfigurationError) -> Value {
    guard let node = entries[key.rawValue]?.value else { return standard }
    return try scalar(key, node, requirement)
  }

  /// A list of values; nil if the key is absent.
  func list<Value: ScalarSetting>(
    _ key: Key, _ requirement: Requirement<Value> = .none
  ) throws(ConfigurationError) -> [Value]? {
    guard let node = entries[key.rawValue]?.value else { return nil }
    guard case .list(let items) = node.content else {
      throw error(key, "expected a list, each \(Value.expectation)\(requirement.text); found \(node.found)")
    }
    var values: [Value] = []
    for item in items { values.append(try scalar(key, item, requirement)) }
    return values
  }

  /// One of the names of an enumeration. `unavailable` names are known, and refused as coming later.
  func choice<Choice: RawRepresentable<String> & CaseIterable>(
    _ key: Key, default standard: Choice, unavailable: [String] = []
  ) throws(ConfigurationError) -> Choice {
    guard let node = entries[key.rawValue]?.value else { return standard }
    let valid = Choice.allCases.map(\.rawValue)
    guard case .scalar(let name, _) = node.content, !node.isNull else {
      throw error(key, "expected one of \(valid.joined(separator: ", ")); found \(node.found)")
    }
    if let choice = Choice(rawValue: name) { return choice }
    if unavailable.contains(name) {
      let expected = valid.joined(separator: " or ")
      throw error(key, "\(name) is not available in this version; expected \(expected)")
    }
    throw ConfigurationError(origin: node.origin, keyPath: keyPath(key), unknown: name, valid: valid)
  }

  /// The value of one scalar at or below `key`.
  func scalar<Value: ScalarSetting>(
    _ key: Key, _ node: SettingNode, _ requirement: Requirement<Value>
  ) throws(ConfigurationError) -> Value {
    if case .scalar(let text, let isPlain) = node.content, !node.isNull,
      let value = Value(setting: text, isPlain: isPlain), requirement.holds(value)
    {
      return value
    }
    throw ConfigurationError(
      origin: node.origin, keyPath: keyPath(key),
      problem: "expected \(Value.expectation)\(requirement.text), found \(node.found)")
  }
}
