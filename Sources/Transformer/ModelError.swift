/// What is wrong with a model folder or with what is asked of the model.
public enum ModelError: Error, Equatable, CustomStringConvertible {
  case unreadable(path: String, reason: String)
  case missingKey(String, path: String)
  case wrongValue(key: String, path: String, expected: String, found: String)
  case unknownArchitecture(String, path: String, supported: [String])
  case noLayerNamed(target: String, available: [String])
  case duplicateTarget(layer: String, targets: [String])
  case adapterRankTooLarge(rank: Int, layer: String, outputs: Int, inputs: Int)
  case sequenceTooLong(tokens: Int, limit: Int)
  case tokenOutOfRange(token: Int, vocabularySize: Int)

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
    case .duplicateTarget(let layer, let targets):
      "adapter.targets: \(targets.joined(separator: " and ")) both name \(layer); expected one"
    case .adapterRankTooLarge(let rank, let layer, let outputs, let inputs):
      "adapter.rank: expected at most \(min(outputs, inputs)) for \(layer) (\(outputs)×\(inputs)), found \(rank)"
    case .sequenceTooLong(let tokens, let limit):
      "expected sequences of at most \(limit) tokens (the model's positions), found \(tokens)"
    case .tokenOutOfRange(let token, let vocabularySize):
      "expected token ids below \(vocabularySize) (the model's vocabulary), found \(token)"
    }
  }
}
