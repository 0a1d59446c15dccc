public import HalfPrecision

extension SafetensorsFile {
  /// An F32 tensor in place, valid while the file lives; its type, shape and alignment are checked.
  public func floats(
    named name: String, shape: [Int]
  ) throws(SafetensorsError) -> UnsafeBufferPointer<Float> {
    try elements(of: tensor(named: name, shape: shape), dataType: .float32)
  }

  /// A BF16 tensor in place, valid while the file lives; its type, shape and alignment are checked.
  public func bfloat16s(
    named name: String, shape: [Int]
  ) throws(SafetensorsError) -> UnsafeBufferPointer<BFloat16> {
    try elements(of: tensor(named: name, shape: shape), dataType: .bfloat16)
  }

  private func tensor(named name: String, shape: [Int]) throws(SafetensorsError) -> TensorDescription {
    let tensor = try tensor(named: name)
    guard tensor.shape == shape else {
      throw SafetensorsError(path, tensor: name, .wrongShape(expected: shape, found: tensor.shape))
    }
    return tensor
  }

  /// An integer tensor of exactly the type `Integer` in place, valid while the file lives.
  public func integerView<Integer: FixedWidthInteger & BitwiseCopyable>(
    named name: String, as type: Integer.Type
  ) throws(SafetensorsError) -> UnsafeBufferPointer<Integer> {
    try elements(of: tensor(named: name), dataType: Self.dataType(of: type))
  }

  /// A copy of an integer tensor of exactly the type `Integer`; it may lie at any address.
  public func integers<Integer: FixedWidthInteger & BitwiseCopyable>(
    named name: String, as type: Integer.Type
  ) throws(SafetensorsError) -> [Integer] {
    let tensor = try tensor(named: name)
    try require(tensor, Self.dataType(of: type))
    return copy(tensor, as: type)
  }

  /// A copy of an F32, F16, BF16 or F64 tensor as floats; F64 is rounded to nearest.
  public func floatArray(named name: String) throws(SafetensorsError) -> [Float] {
    let tensor = try tensor(named: name)
    switch tensor.dataType {
    case .float32: return copy(tensor, as: Float.self)
    case .float64: return copy(tensor, as: Double.self).map { Float($0) }
    case .float16: return Binary16.widening(copy(tensor, as: Binary16.self))
    case .bfloat16: return BFloat16.widening(copy(tensor, as: BFloat16.self))
    default:
      let found = tensor.dataType.rawValue
      throw SafetensorsError(
        path, tensor: name, .wrongDataType(expected: "F32, F16, BF16 or F64", found: found))
    }
  }

  private func elements<Element: BitwiseCopyable>(
    of tensor: TensorDescription, dataType: SafetensorsDataType
  ) throws(SafetensorsError) -> UnsafeBufferPointer<Element> {
    try require(tensor, dataType)
    let bytes = bytes(of: tensor)
    let alignment = MemoryLayout<Element>.alignment
    guard Int(bitPattern: bytes.baseAddress) % alignment == 0 else {
      let found = fileOffset(of: tensor)
      throw SafetensorsError(path, tensor: tensor.name, .misaligned(alignment: alignment, found: found))
    }
    return bytes.assumingMemoryBound(to: Element.self)
  }

  private func require(
    _ tensor: TensorDescription, _ dataType: SafetensorsDataType
  ) throws(SafetensorsError) {
    guard tensor.dataType == dataType else {
      let problem = SafetensorsError.Problem.wrongDataType(
        expected: dataType.rawValue, found: tensor.dataType.rawValue)
      throw SafetensorsError(path, tensor: tensor.name, problem)
    }
  }

  private func copy<Element: BitwiseCopyable>(_ tensor: TensorDescription, as type: Element.Type) -> [Element]
  {
    let count = tensor.elementCount
    return Array(unsafeUninitializedCapacity: count) { buffer, initializedCount in
      UnsafeMutableRawBufferPointer(buffer).copyMemory(from: bytes(of: tensor))
      initializedCount = count
    }
  }

  private static func dataType<Integer: FixedWidthInteger>(of type: Integer.Type) -> SafetensorsDataType {
    guard let dataType = SafetensorsDataType(integer: type) else {
      preconditionFailure("the format has no type for \(type)")
    }
    return dataType
  }
}
