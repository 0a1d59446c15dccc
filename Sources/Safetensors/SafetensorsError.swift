/// What is wrong with a tensor file, or with what is asked of it, and where.
public struct SafetensorsError: Error, Sendable, Equatable, CustomStringConvertible {
  public let path: String
  /// The tensor concerned; nil when the file as a whole is.
  public let tensor: String?
  public let problem: Problem

  init(_ path: String, tensor: String? = nil, _ problem: Problem) {
    self.path = path
    self.tensor = tensor
    self.problem = problem
  }

  public var description: String {
    let place = tensor.map { "\(path): tensor \"\($0)\"" } ?? path
    return "\(place): \(problem)"
  }

  /// The ways to be wrong. Sizes and offsets are in bytes.
  public enum Problem: Sendable, Equatable {
    /// The file is missing, unreadable or not a regular file.
    case cannotRead(reason: String)
    case cannotWrite(step: String, reason: String)

    /// There is not even room for the header's length.
    case fileTooShort(found: Int)
    case headerTooLong(limit: Int, found: UInt64)
    case headerBeyondFile(expected: Int, found: Int)
    case headerNotUTF8
    case headerNotJSON(reason: String)
    case headerNotObject
    case malformedMetadata(reason: String)

    case malformedEntry(reason: String)
    case duplicateName
    case unknownDataType(found: String)
    /// An extent is negative, or the number of bytes does not fit an `Int`.
    case invalidShape(found: [Int])
    case negativeOffset(begin: Int, end: Int)
    case reversedOffsets(begin: Int, end: Int)
    case sizeMismatch(expected: Int, found: Int)

    case overlap(with: String, expected: Int, found: Int)
    case hole(expected: Int, found: Int)
    case fileCutShort(expected: Int, found: Int)
    case trailingBytes(expected: Int, found: Int)

    case noSuchTensor(near: [String])
    case wrongDataType(expected: String, found: String)
    case wrongShape(expected: [Int], found: [Int])
    /// The bytes do not lie where a view of their type may start.
    case misaligned(alignment: Int, found: Int)
  }
}

extension SafetensorsError.Problem: CustomStringConvertible {
  public var description: String {
    switch self {
    case .cannotRead(let reason): "expected a readable file, found: \(reason)"
    case .cannotWrite(let step, let reason): "expected to write it, found: \(step): \(reason)"
    case .fileTooShort(let found): "expected at least 8 bytes (the header's length), found \(found)"
    case .headerTooLong(let limit, let found):
      "expected a header of at most \(limit) bytes, found the length \(found): not a safetensors file?"
    case .headerBeyondFile(let expected, let found):
      "expected a header of \(expected) bytes, found only \(found) after its length"
    case .headerNotUTF8: "expected a header in UTF-8, found other bytes"
    case .headerNotJSON(let reason): "expected a header in JSON, found otherwise: \(reason)"
    case .headerNotObject: "expected a JSON object as header, found another value"
    case .malformedMetadata(let reason):
      "expected \"__metadata__\" to map strings to strings, found otherwise: \(reason)"
    case .malformedEntry(let reason):
      "expected \"dtype\", \"shape\" and two \"data_offsets\", found otherwise: \(reason)"
    case .duplicateName: "expected one entry of this name, found several"
    case .unknownDataType(let found):
      "expected one of the types \(Self.dataTypeNames), found \"\(found)\""
    case .invalidShape(let found): "expected extents ≥ 0 and fewer than 2^63 bytes, found the shape \(found)"
    case .negativeOffset(let begin, let end): "expected offsets ≥ 0, found [\(begin), \(end)]"
    case .reversedOffsets(let begin, let end): "expected ascending offsets, found [\(begin), \(end)]"
    case .sizeMismatch(let expected, let found):
      "expected \(expected) bytes by its shape and type, found offsets \(found) apart"
    case .overlap(let other, let expected, let found):
      "expected to begin at data byte \(expected), found \(found), inside tensor \"\(other)\""
    case .hole(let expected, let found):
      "expected to begin at data byte \(expected), found \(found): no tensor owns the bytes between"
    case .fileCutShort(let expected, let found):
      "expected a file of \(expected) bytes, found \(found): it is cut short"
    case .trailingBytes(let expected, let found):
      "expected a file of \(expected) bytes, found \(found): no tensor owns the rest"
    case .noSuchTensor(let near): "expected a tensor of this name, found none" + Self.hint(near)
    case .wrongDataType(let expected, let found): "expected type \(expected), found \(found)"
    case .wrongShape(let expected, let found): "expected shape \(expected), found \(found)"
    case .misaligned(let alignment, let found):
      "expected to begin at a multiple of \(alignment) bytes, found byte \(found) of the file"
    }
  }

  private static var dataTypeNames: String {
    SafetensorsDataType.allCases.map(\.rawValue).joined(separator: ", ")
  }

  private static func hint(_ near: [String]) -> String {
    near.isEmpty ? "" : "; near it: " + near.map { "\"\($0)\"" }.joined(separator: ", ")
  }
}
