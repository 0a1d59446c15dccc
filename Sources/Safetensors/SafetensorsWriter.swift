internal import Files

/// Collects tensors and writes them as one file, byte for byte as the format's own library does.
///
/// Tensors are ordered by type (widest first) and then by name, the header is padded with spaces so that the
/// data begin at a multiple of 8 bytes. Metadata are written in order of their keys. Floats that are given as
/// an array are not copied, tensors of another file are read from it while they are written, and those that are
/// announced are asked for one by one: none of them has to fit into memory together.
public struct SafetensorsWriter: Sendable {
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
    add(name: name, shape: shape, floats: floats[...])
  }

  /// Adds an F32 tensor; `floats` in row-major order, as many as `shape` says.
  public mutating func add(name: String, shape: [Int], floats: ArraySlice<Float>) {
    let byteCount = floats.count * MemoryLayout<Float>.stride
    add(
      Tensor(name: name, dataType: .float32, shape: shape, contents: .floats(floats)), byteCount: byteCount)
  }

  /// Adds a tensor of another file as it is stored there.
  public mutating func add(_ tensor: TensorDescription, of file: SafetensorsFile) {
    add(
      Tensor(
        name: tensor.name, dataType: tensor.dataType, shape: tensor.shape, contents: .stored(tensor, file)),
      byteCount: tensor.byteRange.count)
  }

  /// Adds an F32 tensor whose floats `write(to:announced:)` asks for.
  public mutating func announce(name: String, shape: [Int]) {
    add(Tensor(name: name, dataType: .float32, shape: shape, contents: .announced), byteCount: nil)
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
    add(
      Tensor(name: name, dataType: dataType, shape: shape, contents: .bytes(Array(bytes))),
      byteCount: bytes.count)
  }

  private mutating func add(_ tensor: Tensor, byteCount: Int?) {
    let (name, shape) = (tensor.name, tensor.shape)
    let expected = TensorDescription.byteCount(shape: shape, elementByteCount: tensor.dataType.byteCount)
    precondition(expected != nil, "tensor \"\(name)\" has the shape \(shape)")
    precondition(
      byteCount == nil || byteCount == expected,
      "tensor \"\(name)\" of shape \(shape) is given \(byteCount ?? 0) bytes")
    precondition(names.insert(name).inserted, "tensor \"\(name)\" is added twice")
    precondition(name != RawHeader.metadataKey, "a tensor cannot be called \"\(name)\"")
    tensors.append(tensor)
  }

  /// Writes the file: to a temporary sibling first, synced, then renamed, so that no reader sees half of it.
  public func write(to path: String) throws(SafetensorsError) {
    try write(to: path, failure: { $0 }) { name throws(SafetensorsError) in
      preconditionFailure("tensor \"\(name)\" is announced and not given")
    }
  }

  /// Writes the file likewise; `floats` gives those of each announced tensor, whose names come in ascending
  /// order.
  public func write(to path: String, announced floats: (_ name: String) throws -> [Float]) throws {
    try write(to: path, failure: { $0 as any Error }, announced: floats)
  }

  private func write<Failure: Error>(
    to path: String, failure: @escaping (SafetensorsError) -> Failure,
    announced floats: (String) throws(Failure) -> [Float]
  ) throws(Failure) {
    let ordered = tensors.sorted {
      ($1.dataType.writingOrder, $0.name) < ($0.dataType.writingOrder, $1.name)
    }
    let header = header(of: ordered)
    let prefix = withUnsafeBytes(of: UInt64(header.count).littleEndian) { Array($0) }
    try replaceFile(
      at: path,
      failure: { failure(SafetensorsError(path, .cannotWrite(step: $0.step.rawValue, reason: $0.reason))) }
    ) { sink throws(Failure) in
      try sink.write((prefix + header)[...])
      for tensor in ordered { try tensor.write(to: sink, announced: floats) }
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
      let end = begin + tensor.byteCount
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

/// A tensor to be written.
private struct Tensor: Sendable {
  let name: String
  let dataType: SafetensorsDataType
  let shape: [Int]
  let contents: Contents

  enum Contents: Sendable {
    case bytes([UInt8])
    case floats(ArraySlice<Float>)
    /// The tensor of another file.
    case stored(TensorDescription, SafetensorsFile)
    /// F32, known when it is written.
    case announced
  }

  var byteCount: Int { TensorDescription.byteCount(shape: shape, elementByteCount: dataType.byteCount)! }

  func write<Failure: Error>(
    to sink: FileSink<Failure>, announced floats: (String) throws(Failure) -> [Float]
  ) throws(Failure) {
    switch contents {
    case .bytes(let bytes): try sink.write(bytes[...])
    case .floats(let floats): try sink.write(floats)
    case .stored(let tensor, let file): try sink.write(file.bytes(of: tensor))
    case .announced:
      let floats = try floats(name)
      precondition(
        floats.count * MemoryLayout<Float>.stride == byteCount,
        "tensor \"\(name)\" of shape \(shape) is given \(floats.count) floats")
      try sink.write(floats[...])
    }
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
