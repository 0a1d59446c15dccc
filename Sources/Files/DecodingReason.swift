/// What is wrong with a value that could not be decoded, by the dotted path of its key.
public func reason(ofDecodingError error: any Error) -> String {
  switch error {
  case DecodingError.keyNotFound(let key, let context): "no \"\((context.codingPath + [key]).dotted)\""
  case DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context),
    DecodingError.dataCorrupted(let context):
    context.codingPath.isEmpty
      ? context.debugDescription : "\"\(context.codingPath.dotted)\": \(context.debugDescription)"
  default: "\(error)"
  }
}

extension [any CodingKey] {
  fileprivate var dotted: String { map(\.stringValue).joined(separator: ".") }
}
