/// What is wrong with an adapter's folder.
public enum PEFTError: Error, Equatable, CustomStringConvertible {
  case unreadable(path: String)
  case malformedConfiguration(path: String, reason: String)
  case unsupported(key: String, path: String, expected: String, found: String)
  case unexpectedTensor(String, path: String)
  case noFactors(path: String)
  /// Adapters that are to be combined do not fit each other.
  case mismatch(item: String, path: String, expected: String, reference: String, found: String)
  /// The folder to write to holds an adapter.
  case occupied(folder: String, file: String)

  public var description: String {
    switch self {
    case .unreadable(let path): "\(path): expected a readable file, found none"
    case .malformedConfiguration(let path, let reason): "\(path): \(reason)"
    case .unsupported(let key, let path, let expected, let found):
      "\(path): \(key): expected \(expected), found \(found)"
    case .unexpectedTensor(let name, let path):
      "\(path): the tensor \"\(name)\" belongs to no layer that the configuration's target_modules name"
    case .noFactors(let path):
      "\(path): expected lora_A.weight and lora_B.weight of a layer, found none"
    case .mismatch(let item, let path, let expected, let reference, let found):
      "\(path): \(item): expected \(expected) as in \(reference), found \(found)"
    case .occupied(let folder, let file):
      "\(folder): expected a folder without an adapter, found \(file)"
    }
  }
}
