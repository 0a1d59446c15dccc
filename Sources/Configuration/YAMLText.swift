/// A piece of YAML to be written: block style for sections, flow style for lists.
indirect enum YAMLText {
  case scalar(String)
  case list([YAMLText])
  case section([(key: String, value: YAMLText)])

  static func integer(_ value: some BinaryInteger) -> YAMLText { .scalar("\(value)") }
  static func flag(_ value: Bool) -> YAMLText { .scalar(value ? "true" : "false") }

  /// The shortest decimal notation that reads back as the same number.
  static func number(_ value: Double) -> YAMLText {
    let isShort = value == value.rounded() && abs(value) < 1e15
    return .scalar(isShort ? "\(Int(value))" : "\(value)")
  }

  /// Quoted where YAML would read something else than this text.
  static func text(_ value: String) -> YAMLText { .scalar(isSafePlain(value) ? value : quoted(value)) }

  /// The lines of a section at a depth of nesting, each with its end.
  func lines(depth: Int = 0) -> String {
    guard case .section(let entries) = self else { return flow + "\n" }
    let indentation = String(repeating: "  ", count: depth)
    return entries.map { key, value in
      if case .section = value { return "\(indentation)\(key):\n\(value.lines(depth: depth + 1))" }
      return "\(indentation)\(key): \(value.flow)\n"
    }.joined()
  }

  /// The values that are no sections, as they are written, each with the path of its key.
  func values(below path: String = "") -> [(keyPath: String, value: String)] {
    guard case .section(let entries) = self else { return [(path, flow)] }
    return entries.flatMap { key, value in value.values(below: path.isEmpty ? key : "\(path).\(key)") }
  }

  private var flow: String {
    switch self {
    case .scalar(let text): text
    case .list(let items): "[" + items.map(\.flow).joined(separator: ", ") + "]"
    case .section(let entries): "{ " + entries.map { "\($0): \($1.flow)" }.joined(separator: ", ") + " }"
    }
  }
}

/// Whether the text, written bare, is read back as itself: a conservative answer.
private func isSafePlain(_ text: String) -> Bool {
  let letters = text.unicodeScalars
  guard let first = letters.first, first.properties.isAlphabetic || first == "/" || first == "." else {
    return false
  }
  let reserved = ["null", "true", "false", "yes", "no", "on", "off", "y", "n"]
  let isNumberLike =
    first == "." && letters.dropFirst().first.map { !"/.".unicodeScalars.contains($0) } ?? true
  return !isNumberLike && !reserved.contains(text.lowercased())
    && letters.allSatisfy { $0.properties.isAlphabetic || "0123456789._-/+".unicodeScalars.contains($0) }
}

private func quoted(_ text: String) -> String {
  var result = "\""
  for scalar in text.unicodeScalars {
    switch scalar {
    case "\"", "\\": result += "\\\(scalar)"
    case " "..."~": result.unicodeScalars.append(scalar)
    case _ where scalar.properties.isAlphabetic: result.unicodeScalars.append(scalar)
    default: result += escaped(scalar)
    }
  }
  return result + "\""
}

private func escaped(_ scalar: Unicode.Scalar) -> String {
  let digits = String(scalar.value, radix: 16)
  return "\\U" + String(repeating: "0", count: 8 - digits.count) + digits
}
