internal import Yams

extension SettingNode {
  /// Parses one YAML document; an empty one is an empty scalar.
  ///
  /// `source` names the file. With `lines: false` (an override) the origin is the source alone.
  init(parsing yaml: String, source: String, lines: Bool = true) throws(ConfigurationError) {
    let place = Place(source: source, hasLines: lines)
    let root: Node?
    do {
      root = try Yams.compose(yaml: yaml)
    } catch {
      throw place.error(error)
    }
    guard let root else {
      self.init(content: .scalar(text: "", isPlain: true), origin: place.origin(nil))
      return
    }
    var remaining = 10_000
    try self.init(root, place, &remaining)
  }

  /// `remaining` bounds the nodes: a few aliases of aliases stand for billions.
  private init(_ node: Node, _ place: Place, _ remaining: inout Int) throws(ConfigurationError) {
    remaining -= 1
    let origin = place.origin(node.mark)
    guard remaining > 0 else {
      throw ConfigurationError(
        origin: origin, keyPath: "", problem: "expected at most 10000 values, found more")
    }
    switch node {
    case .scalar(let scalar):
      let isPlain = scalar.style == .plain || scalar.style == .any
      self.init(content: .scalar(text: scalar.string, isPlain: isPlain), origin: origin)
    case .sequence(let sequence):
      var items: [SettingNode] = []
      for item in sequence { items.append(try SettingNode(item, place, &remaining)) }
      self.init(content: .list(items), origin: origin)
    case .mapping(let mapping):
      var entries: [Entry] = []
      for (key, value) in mapping { entries.append(try Entry(key, value, place, &remaining)) }
      self.init(content: .section(entries), origin: origin)
    case .alias:
      throw ConfigurationError(
        origin: origin, keyPath: "", problem: "expected a value, found an unresolved alias")
    }
  }
}

extension SettingNode.Entry {
  fileprivate init(
    _ key: Node, _ value: Node, _ place: Place, _ remaining: inout Int
  ) throws(ConfigurationError) {
    guard case .scalar(let name) = key else {
      throw ConfigurationError(
        origin: place.origin(key.mark), keyPath: "",
        problem: "expected the name of a key, found a list or section")
    }
    self.init(
      key: name.string, origin: place.origin(key.mark), value: try SettingNode(value, place, &remaining))
  }
}

/// Where a text comes from, and how its marks are told.
private struct Place {
  var source: String
  var hasLines: Bool

  func origin(_ mark: Mark?) -> String {
    guard hasLines, let mark else { return source }
    return "\(source):\(mark.line)"
  }

  /// The parser's error as one line.
  func error(_ error: any Error) -> ConfigurationError {
    switch error as? YamlError {
    case .duplicatedKeysInMapping(let duplicates, let context):
      ConfigurationError(
        origin: origin(context.mark), keyPath: duplicates.first ?? "",
        problem: "expected each key once, found it more than once")
    case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
      .composer(_, let problem, let mark, _):
      ConfigurationError(origin: origin(mark), keyPath: "", problem: "expected YAML: \(problem)")
    case .reader(let problem, _, _, _):
      ConfigurationError(origin: source, keyPath: "", problem: "expected YAML: \(problem)")
    default:
      ConfigurationError(origin: source, keyPath: "", problem: "expected YAML: \(shown("\(error)"))")
    }
  }
}
