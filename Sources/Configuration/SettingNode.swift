/// One node of a configuration as it was written, with the place it was written at.
struct SettingNode {
  enum Content {
    /// `isPlain` tells `8` from `"8"`.
    case scalar(text: String, isPlain: Bool)
    case list([SettingNode])
    case section([Entry])
  }

  struct Entry {
    var key: String
    var origin: String
    var value: SettingNode
  }

  var content: Content
  /// File and line, or the override.
  var origin: String

  /// Whether nothing is written here: `key:`, `~` or `null`.
  var isNull: Bool {
    guard case .scalar(let text, isPlain: true) = content else { return false }
    return ["", "~", "null", "Null", "NULL"].contains(text)
  }

  /// What an error line says was found here.
  var found: String {
    switch content {
    case .scalar(let text, let isPlain):
      isNull ? "nothing" : isPlain ? shown(text) : "the text \"\(shown(text))\""
    case .list(let items): items.isEmpty ? "an empty list" : "a list"
    case .section: "a section of keys"
    }
  }
}
