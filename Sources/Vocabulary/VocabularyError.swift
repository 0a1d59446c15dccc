/// A tokeniser's file that cannot be used.
public struct VocabularyError: Error, Equatable, Sendable, CustomStringConvertible {
  public let path: String
  public let expected: String
  public let found: String

  public var description: String { "\(path): expected \(expected), found \(found)" }
}
