extension SettingNode {
  /// Sets the value of an override `key.path=value`; the value is read as YAML.
  ///
  /// A path that no key has is entered all the same: decoding refuses it like a key of the file.
  mutating func apply(override: String) throws(ConfigurationError) {
    let origin = "--set \(shown(override))"
    guard let equals = override.firstIndex(of: "=") else {
      throw ConfigurationError(origin: origin, keyPath: "", problem: "expected key.path=value, found no =")
    }
    let path = override[..<equals].split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    guard path.allSatisfy({ !$0.isEmpty }) else {
      throw ConfigurationError(
        origin: origin, keyPath: "", problem: "expected key.path=value, found an empty key")
    }
    let text = String(override[override.index(after: equals)...])
    let value = try SettingNode(parsing: text, source: origin, lines: false)
    try set(value, at: path[...], parents: [])
  }

  private mutating func set(
    _ value: SettingNode, at path: ArraySlice<String>, parents: [String]
  ) throws(ConfigurationError) {
    guard let key = path.first else {
      self = value
      return
    }
    var entries = try sectionEntries(orThrowAt: value.origin, keyPath: parents.joined(separator: "."))
    let index = entries.firstIndex { $0.key == key } ?? entries.endIndex
    if index == entries.endIndex {
      let empty = SettingNode(content: .section([]), origin: value.origin)
      entries.append(Entry(key: key, origin: value.origin, value: empty))
    }
    try entries[index].value.set(value, at: path.dropFirst(), parents: parents + [key])
    content = .section(entries)
  }

  private func sectionEntries(
    orThrowAt origin: String, keyPath: String
  ) throws(ConfigurationError) -> [Entry] {
    if case .section(let entries) = content { return entries }
    if isNull { return [] }
    throw ConfigurationError(
      origin: origin, keyPath: keyPath, problem: "expected a section of keys, found \(found)")
  }
}
