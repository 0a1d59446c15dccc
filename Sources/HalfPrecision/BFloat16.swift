/// The upper half of a `Float`: its range, with 8 significant bits.
public struct BFloat16: HalfFloat {
  public let bits: UInt16

  @inline(__always)
  public init(bits: UInt16) { self.bits = bits }

  @inline(__always)
  public init(_ value: Float) {
    let bits = value.bitPattern
    let nearest = (bits &+ 0x7FFF &+ (bits >> 16 & 1)) >> 16
    let quiet = bits >> 16 | 0x40
    self.bits = UInt16(truncatingIfNeeded: bits & 0x7FFF_FFFF > 0x7F80_0000 ? quiet : nearest)
  }

  @inline(__always)
  public var float: Float { Float(bitPattern: UInt32(bits) << 16) }

  public static var overflow: Float { 0x1.FFp127 }

  public static func rounding(_ floats: [Float]) -> [Self] { rounded(floats, to: Self.self) }
  public static func widening(_ halves: [Self]) -> [Float] { widened(halves) }
  public static func round(_ floats: UnsafeMutableBufferPointer<Float>) { rounded(floats, to: Self.self) }
}
