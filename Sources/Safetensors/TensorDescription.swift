/// One tensor of a file: what it is called, what it holds and where its bytes lie.
public struct TensorDescription: Sendable, Equatable {
  public let name: String
  public let dataType: SafetensorsDataType
  /// The extents, outermost first; empty for a scalar. Elements lie in row-major order.
  public let shape: [Int]
  /// The tensor's bytes, counted from the start of the file's data section.
  public let byteRange: Range<Int>

  /// The product of the extents.
  public var elementCount: Int { byteRange.count / dataType.byteCount }
}
