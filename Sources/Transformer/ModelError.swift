/// What is wrong with a model folder or with what is asked of the model.
public enum ModelError: Error, Equatable, CustomStringConvertible {
  case unreadable(path: String, reason: String)
  case missingKey(String, path: String)
  case wrongValue(key: String, path: String, expected: String, found: String)
  case unknownArchitecture(String, path: String, supported: [String])
  case noLayerNamed(target: String, available: [String])
  /// `found` is the number of labels of the head that is there; nil without one.
  case noHead(path: String, labels: Int, found: Int?)
  case adapterRankTooLarge(rank: Int, layer: String, outputs: Int, inputs: Int)
  case sequenceTooLong(tokens: Int, limit: Int)

  public var description: String {
    switch self {
    case .unreadable(let path, let reason): "\(path): cannot be read: \(reason)"
    case .missingKey(let key, let path): "\(path): expected the key \"\(key)\", found none"
    case .wrongValue(let key, let path, let expected, let found):
      "\(path): \(key): expected \(expected), found \(found)"
    case .unknownArchitecture(let found, let path, let supported):
      "\(path): model_type: expected \(supported.joined(separator: " or ")), found \"\(found)\""
    case .noLayerNamed(let target, let available):
      "adapter.targets: \"\(target)\" names no layer; expected one of \(available.joined(separator: ", "))"
    case .noHead(let path, let labels, let found):
      "\(path): expected a classifier head for \(labels) labels, found \(found.map { "one for \($0)" } ?? "none");"
        + " name an adapter that has one"
    case .adapterRankTooLarge(let rank, let layer, let outputs, let inputs):
      "adapter.rank: expected at most \(min(outputs, inputs)) for \(layer) (\(outputs)×\(inputs)), found \(rank)"
    case .sequenceTooLong(let tokens, let limit):
      "expected sequences of at most \(limit) tokens (the model's positions), found \(tokens)"
    }
  }
}
