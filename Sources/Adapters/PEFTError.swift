/// What is wrong with an adapter's folder.
public enum PEFTError: Error, Equatable, CustomStringConvertible {
  case unreadable(path: String)
  case malformedConfiguration(path: String, reason: String)
  case unsupported(key: String, path: String, expected: String, found: String)
  case unexpectedTensor(String, path: String)

  public var description: String {
    switch self {
    case .unreadable(let path): "\(path): expected a readable file, found none"
    case .malformedConfiguration(let path, let reason): "\(path): \(reason)"
    case .unsupported(let key, let path, let expected, let found):
      "\(path): \(key): expected \(expected), found \(found)"
    case .unexpectedTensor(let name, let path):
      "\(path): the tensor \"\(name)\" belongs to no layer that the configuration's target_modules name"
    }
  }
}
