internal import Foundation

extension RunConfiguration {
  /// Reads a configuration file and applies overrides (`training.rounds=3`) in their order.
  ///
  /// - Throws: the first error found; unknown keys, wrong types, values out of range and combinations without
  ///   a meaning are all refused.
  public static func load(path: String, overrides: [String] = []) throws(ConfigurationError) -> Self {
    try Self(yaml: try text(ofFileAt: path), source: path, overrides: overrides)
  }

  /// Reads a configuration from its text; `source` names it in errors.
  public init(
    yaml: String, source: String = "configuration", overrides: [String] = []
  ) throws(ConfigurationError) {
    var root = try SettingNode(parsing: yaml, source: source)
    for override in overrides { try root.apply(override: override) }
    try self.init(decoding: root)
  }

  /// The text of a configuration file.
  public static func text(ofFileAt path: String) throws(ConfigurationError) -> String {
    let attributes = try? FileManager.default.attributesOfItem(
      atPath: (path as NSString).resolvingSymlinksInPath)
    guard let attributes else { throw fileError(path, "nothing there") }
    guard attributes[.type] as? FileAttributeType != .typeDirectory else { throw fileError(path, "a folder") }
    guard let size = attributes[.size] as? Int, size <= 1 << 20 else {
      throw fileError(path, "more than 1 MiB")
    }
    guard let bytes = FileManager.default.contents(atPath: path) else {
      throw fileError(path, "one that may not be read")
    }
    guard let text = String(data: bytes, encoding: .utf8) else {
      throw fileError(path, "bytes that are not UTF-8")
    }
    return text
  }

  private static func fileError(_ path: String, _ found: String) -> ConfigurationError {
    ConfigurationError(origin: path, keyPath: "", problem: "expected a YAML file, found \(found)")
  }
}
