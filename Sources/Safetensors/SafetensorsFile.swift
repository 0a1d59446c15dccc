internal import Names

/// A tensor file, mapped read-only into memory: the processes of one node share one physical copy.
///
/// Header, offsets and shapes are checked once, when the file is opened. A view is valid while the file lives,
/// and Swift may end a local variable's life after its last use: whoever keeps a view keeps the file beside it, or
/// works inside `withExtendedLifetime(file) { … }`.
/// Source: https://github.com/huggingface/safetensors (format description).
public final class SafetensorsFile: Sendable {
  public let path: String
  /// The header's `__metadata__`.
  public let metadata: [String: String]
  /// The tensors' names in ascending order.
  public let names: [String]

  private let tensors: [String: TensorDescription]
  private let mapping: MappedFile
  /// Where the data section begins in the file.
  private let dataOffset: Int

  /// Opens and checks the file.
  public init(path: String) throws(SafetensorsError) {
    let mapping = try MappedFile(path: path)
    let dataOffset = try Self.dataOffset(of: mapping.bytes, path: path)
    let header = try RawHeader(
      json: UnsafeRawBufferPointer(rebasing: mapping.bytes[8..<dataOffset]), path: path)
    var tensors: [String: TensorDescription] = [:]
    for name in header.entries.keys.sorted() {
      tensors[name] = try TensorDescription(name: name, entry: header.entries[name]!, path: path)
    }
    try checkLayout(
      tensors.values, headerByteCount: dataOffset, dataByteCount: mapping.bytes.count - dataOffset, path: path
    )
    self.path = path
    self.metadata = header.metadata
    self.names = tensors.keys.sorted()
    self.tensors = tensors
    self.mapping = mapping
    self.dataOffset = dataOffset
  }

  /// The tensor of that name, or nil.
  public subscript(name: String) -> TensorDescription? { tensors[name] }

  /// The tensor of that name; the error lists the names nearest to it.
  public func tensor(named name: String) throws(SafetensorsError) -> TensorDescription {
    guard let tensor = tensors[name] else {
      let near = nearestNames(to: name, among: names, limit: 3)
      throw SafetensorsError(path, tensor: name, .noSuchTensor(near: near))
    }
    return tensor
  }

  /// The size of the file, all of it mapped.
  public var byteCount: Int { mapping.bytes.count }

  /// The tensor's bytes in place, valid while the file lives.
  public func bytes(of tensor: TensorDescription) -> UnsafeRawBufferPointer {
    let begin = fileOffset(of: tensor)
    return UnsafeRawBufferPointer(rebasing: mapping.bytes[begin..<begin + tensor.byteRange.count])
  }

  /// Where the tensor's bytes begin in the file.
  func fileOffset(of tensor: TensorDescription) -> Int { dataOffset + tensor.byteRange.lowerBound }

  private static func dataOffset(of bytes: UnsafeRawBufferPointer, path: String) throws(SafetensorsError)
    -> Int
  {
    let length = UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
    guard length <= UInt64(RawHeader.byteLimit) else {
      throw SafetensorsError(path, .headerTooLong(limit: RawHeader.byteLimit, found: length))
    }
    guard Int(length) <= bytes.count - 8 else {
      throw SafetensorsError(path, .headerBeyondFile(expected: Int(length), found: bytes.count - 8))
    }
    return 8 + Int(length)
  }
}
