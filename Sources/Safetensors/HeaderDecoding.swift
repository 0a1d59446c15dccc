internal import Foundation

/// A header as it is written, before its numbers are checked.
struct RawHeader {
  var metadata: [String: String] = [:]
  var entries: [String: RawEntry] = [:]

  /// The largest header that the format allows, in bytes.
  static let byteLimit = 100_000_000
  static let metadataKey = "__metadata__"

  /// One tensor's entry.
  struct RawEntry: Decodable {
    let dtype: String
    let shape: [Int]
    let offsets: [Int]

    enum CodingKeys: String, CodingKey {
      case dtype, shape
      case offsets = "data_offsets"
    }
  }

  /// Reads the JSON text of a header.
  init(json: UnsafeRawBufferPointer, path: String) throws(SafetensorsError) {
    guard String(validating: json, as: UTF8.self) != nil else {
      throw SafetensorsError(path, .headerNotUTF8)
    }
    let values: [String: LenientValue]
    do {
      values = try JSONDecoder().decode([String: LenientValue].self, from: Data(json))
    } catch DecodingError.typeMismatch {
      throw SafetensorsError(path, .headerNotObject)
    } catch {
      throw SafetensorsError(path, .headerNotJSON(reason: reason(of: error)))
    }
    if let name = repeatedKey(json, distinctCount: values.count) {
      throw SafetensorsError(path, tensor: name, .duplicateName)
    }
    for (name, value) in values { try add(name, value, path: path) }
  }

  private mutating func add(_ name: String, _ value: LenientValue, path: String) throws(SafetensorsError) {
    if name == Self.metadataKey {
      do { metadata = try value.metadata.get() } catch {
        throw SafetensorsError(path, .malformedMetadata(reason: reason(of: error)))
      }
    } else {
      do { entries[name] = try value.entry.get() } catch {
        throw SafetensorsError(path, tensor: name, .malformedEntry(reason: reason(of: error)))
      }
    }
  }
}

/// A value of the header, read both ways, so that what is wrong with it is told with its name.
private struct LenientValue: Decodable {
  let metadata: Result<[String: String], any Error>
  let entry: Result<RawHeader.RawEntry, any Error>

  init(from decoder: any Decoder) throws {
    metadata = Result { try [String: String](from: decoder) }
    entry = Result { try RawHeader.RawEntry(from: decoder) }
  }
}

private func reason(of error: any Error) -> String {
  guard let error = error as? DecodingError else { return "\(error)" }
  switch error {
  case .keyNotFound(let key, _): return "no \"\(key.stringValue)\""
  case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context):
    return place(context.codingPath.dropFirst()) + context.debugDescription
  @unknown default: return "\(error)"
  }
}

private func place(_ path: some Sequence<any CodingKey>) -> String {
  let names = path.map { $0.intValue.map(String.init) ?? $0.stringValue }
  return names.isEmpty ? "" : names.joined(separator: ".") + ": "
}

/// A key that stands twice in the outermost object of the valid JSON text; decoders keep one in silence.
private func repeatedKey(_ json: UnsafeRawBufferPointer, distinctCount: Int) -> String? {
  let keys = outermostKeys(json)
  guard keys.count != distinctCount else { return nil }
  var seen: Set<String> = []
  return keys.first { !seen.insert($0).inserted } ?? "(written with different escapes)"
}

private func outermostKeys(_ json: UnsafeRawBufferPointer) -> [String] {
  var keys: [String] = []
  var depth = 0
  var string = 0..<0
  var position = 0
  while position < json.count {
    switch json[position] {
    case UInt8(ascii: "\""):
      string = position + 1..<endOfString(json, from: position + 1)
      position = string.upperBound
    case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
    case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
    case UInt8(ascii: ":") where depth == 1: keys.append(String(decoding: json[string], as: UTF8.self))
    default: break
    }
    position += 1
  }
  return keys
}

private func endOfString(_ json: UnsafeRawBufferPointer, from start: Int) -> Int {
  var position = start
  while position < json.count, json[position] != UInt8(ascii: "\"") {
    position += json[position] == UInt8(ascii: "\\") ? 2 : 1
  }
  return min(position, json.count)
}
