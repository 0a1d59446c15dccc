/// A floating-point number of 16 bits, which is stored and sent; arithmetic is done in `Float`.
///
/// Written out because Swift has no bfloat16, and `Float16` does not exist on every platform.
public protocol HalfFloat: BitwiseCopyable, Sendable, Hashable {
  var bits: UInt16 { get }

  init(bits: UInt16)

  /// The nearest number of the format; of two that are as near the one whose last bit is 0.
  ///
  /// From `overflow` on it is infinity; NaN stays NaN, quiet.
  init(_ value: Float)

  /// The same number, exactly.
  var float: Float { get }

  /// The least magnitude that becomes infinity: halfway beyond the largest number.
  static var overflow: Float { get }

  /// Every number rounded.
  static func rounding(_ floats: [Float]) -> [Self]

  /// Every number exactly.
  static func widening(_ halves: [Self]) -> [Float]

  /// Rounds in place: `Self(x).float` for every x.
  static func round(_ floats: UnsafeMutableBufferPointer<Float>)
}

extension HalfFloat {
  /// The position of the first number that has no finite neighbour in the format: too large, infinite or NaN.
  public static func firstBeyond(_ floats: UnsafeMutableBufferPointer<Float>) -> Int? {
    let limit = overflow.bitPattern
    // The largest of many integers is found in vector registers, the first of some is not.
    var largest: UInt32 = 0
    for index in floats.indices { largest = max(largest, floats[index].bitPattern & 0x7FFF_FFFF) }
    guard largest >= limit else { return nil }
    return floats.firstIndex { $0.bitPattern & 0x7FFF_FFFF >= limit }
  }
}

// The loops below are generic, and are compiled for each format in its own file.

@inline(__always)
func rounded<Half: HalfFloat>(_ floats: [Float], to type: Half.Type) -> [Half] {
  [Half](unsafeUninitializedCapacity: floats.count) { target, count in
    floats.withUnsafeBufferPointer { source in
      for index in source.indices { target[index] = Half(source[index]) }
    }
    count = floats.count
  }
}

@inline(__always)
func widened<Half: HalfFloat>(_ halves: [Half]) -> [Float] {
  [Float](unsafeUninitializedCapacity: halves.count) { target, count in
    halves.withUnsafeBufferPointer { source in
      for index in source.indices { target[index] = source[index].float }
    }
    count = halves.count
  }
}

@inline(__always)
func rounded<Half: HalfFloat>(_ floats: UnsafeMutableBufferPointer<Float>, to type: Half.Type) {
  for index in floats.indices { floats[index] = Half(floats[index]).float }
}
