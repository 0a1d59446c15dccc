internal import Files
internal import Foundation

/// The references of a split's rows, in order: the file `SPLIT.jsonl`, one JSON object a line.
public struct References: Sendable, Equatable, RandomAccessCollection {
  private let rows: [Reference]

  /// Reads and checks every line of the file.
  public init(path: String, grader: Grader) throws(ReferencesError) {
    guard let data = FileManager.default.contents(atPath: path) else {
      throw ReferencesError(path: path, line: nil, expected: "a file", found: "none")
    }
    var lines = data.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    if lines.last?.isEmpty == true { lines.removeLast() }
    var rows: [Reference] = []
    for (index, line) in lines.enumerated() {
      rows.append(try Self.reference(in: line, grader, path: path, line: index + 1))
    }
    self.rows = rows
  }

  public var startIndex: Int { 0 }
  public var endIndex: Int { rows.count }
  public subscript(row: Int) -> Reference { rows[row] }

  private static func reference(
    in text: Data, _ grader: Grader, path: String, line: Int
  ) throws(ReferencesError) -> Reference {
    do {
      return try JSONDecoder().decode(Reference.self, from: text, configuration: grader)
    } catch {
      let expected = "a reference for the grader \"\(grader.rawValue)\""
      throw ReferencesError(path: path, line: line, expected: expected, found: reason(ofDecodingError: error))
    }
  }
}

/// What is wrong with a file of references, and where.
public struct ReferencesError: Error, Sendable, Equatable, CustomStringConvertible {
  public let path: String
  /// From 1; nil when it is the whole file.
  public let line: Int?
  public let expected: String
  public let found: String

  public var description: String {
    "\(path)\(line.map { ":\($0)" } ?? ""): expected \(expected), found \(found)"
  }
}
