internal import Files

/// Collects tensors and writes them as one file, byte for byte as the format's own library does.
///
/// Tensors are ordered by type (widest first) and then by name, the header is padded with spaces so that the
/// data begin at a multiple of 8 bytes. Metadata are written in order of their keys.
public struct SafetensorsWriter: Sendable {
  private struct Tensor: Sendable {
    let name: String
    let dataType: SafetensorsDataType
    let shape: [Int]
    let bytes: [UInt8]
  }

  private let metadata: [String: String]
  private var tensors: [Tensor] = []
  private var names: Set<String> = []

  public init(metadata: [String: String] = [:]) {
    self.metadata = metadata
  }

  /// Adds an F32 tensor; `floats` in row-major order, as many as `shape` says.
  public mutating func add(name: String, shape: [Int], floats: UnsafeBufferPointer<Float>) {
    add(name: name, shape: shape, dataType: .float32, bytes: UnsafeRawBufferPointer(floats))
  }

  /// Adds an F32 tensor; `floats` in row-major order, as many as `shape` says.
  public mutating func add(name: String, shape: [Int], floats: [Float]) {
    floats.withUnsafeBytes { add(name: name, shape: shape, dataType: .float32, bytes: $0) }
  }

  /// Adds a tensor of the format's type for `Integer`; `integers` in row-major order.
  public mutating func add<Integer: FixedWidthInteger & BitwiseCopyable>(
    name: String, shape: [Int], integers: [Integer]
  ) {
    guard let dataType = SafetensorsDataType(integer: Integer.self) else {
      preconditionFailure("the format has no type for \(Integer.self)")
    }
    integers.withUnsafeBytes { add(name: name, shape: shape, dataType: dataType, bytes: $0) }
  }

  /// Adds a tensor by its bytes, little-endian, in row-major order.
  public mutating func add(
    name: String, shape: [Int], dataType: SafetensorsDataType, bytes: UnsafeRawBufferPointer
  ) {
    let expected = TensorDescription.byteCount(shape: shape, elementByteCount: dataType.byteCount)
    precondition(
      bytes.count == expected, "tensor \"\(name)\" of shape \(shape) is given \(bytes.count) bytes")
    precondition(names.insert(name).inserted, "tensor \"\(name)\" is added twice")
    precondition(name != RawHeader.metadataKey, "a tensor cannot be called \"\(name)\"")
    tensors.append(Tensor(name: name, dataType: dataType, shape: shape, bytes: Array(bytes)))
  }

  /// Writes the file: to a temporary sibling first, synced, then renamed, so that no reader sees half of it.
  public func write(to path: String) throws(SafetensorsError) {
    let ordered = tensors.sorted {
      ($1.dataType.writingOrder, $0.name) < ($0.dataType.writingOrder, $1.name)
    }
    let header = header(of: ordered)
    var length = UInt64(header.count).littleEndian
    let prefix = withUnsafeBytes(of: &length) { Array($0) }
    do throws(FileError) {
      try replaceFile(at: path, with: [prefix, header] + ordered.map(\.bytes))
    } catch {
      throw SafetensorsError(path, .cannotWrite(step: error.step.rawValue, reason: error.reason))
    }
  }

  private func header(of ordered: [Tensor]) -> [UInt8] {
    var fields: [String] = []
    if !metadata.isEmpty {
      let pairs = metadata.sorted { $0.key < $1.key }.map { "\(quoted($0.key)):\(quoted($0.value))" }
      fields.append("\"\(RawHeader.metadataKey)\":{\(pairs.joined(separator: ","))}")
    }
    var begin = 0
    for tensor in ordered {
      let end = begin + tensor.bytes.count
      let shape = tensor.shape.map(String.init).joined(separator: ",")
      fields.append(
        "\(quoted(tensor.name)):{\"dtype\":\"\(tensor.dataType.rawValue)\",\"shape\":[\(shape)],"
          + "\"data_offsets\":[\(begin),\(end)]}")
      begin = end
    }
    let json = Array("{\(fields.joined(separator: ","))}".utf8)
    return json + Array(repeating: UInt8(ascii: " "), count: (8 - json.count % 8) % 8)
  }
}

/// `text` as a JSON string.
private func quoted(_ text: String) -> String {
  var result = "\""
  for scalar in text.unicodeScalars {
    switch scalar {
    case "\"": result += "\\\""
    case "\\": result += "\\\\"
    case "\n": result += "\\n"
    case "\r": result += "\\r"
    case "\t": result += "\\t"
    case "\u{8}": result += "\\b"
    case "\u{C}": result += "\\f"
    case "\0"..."\u{1F}":
      let digits = String(scalar.value, radix: 16)
      result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
    default: result.unicodeScalars.append(scalar)
    }
  }
  return result + "\""
}
