/// IEEE 754's half precision: 11 significant bits, magnitudes up to 65504, steps of 2⁻²⁴ below 2⁻¹⁴.
public struct Binary16: HalfFloat {
  public let bits: UInt16

  @inline(__always)
  public init(bits: UInt16) { self.bits = bits }

  /// Without branches, so that loops run in vector registers.
  @inline(__always)
  public init(_ value: Float) {
    let magnitude = value.bitPattern & 0x7FFF_FFFF
    let normal = (magnitude &- Self.rebias &+ 0xFFF &+ (magnitude >> 13 & 1)) >> 13
    // In 0.5 + x the last bit counts 2⁻²⁴: the addition rounds to the steps of the small numbers.
    let small = (Float(bitPattern: magnitude) + 0.5).bitPattern &- Float(0.5).bitPattern
    let beyond: UInt32 = magnitude > Float.infinity.bitPattern ? 0x7E00 : 0x7C00
    let finite = magnitude < Self.leastNormal ? small : normal
    let sign = value.bitPattern >> 16 & 0x8000
    bits = UInt16(truncatingIfNeeded: sign | (magnitude < Self.overflow.bitPattern ? finite : beyond))
  }

  @inline(__always)
  public var float: Float {
    let shifted = UInt32(bits & 0x7FFF) << 13
    // A small number is what its fraction adds to 2⁻¹⁴, the least normal one.
    let small = Float(bitPattern: shifted &+ Self.leastNormal) - Float(bitPattern: Self.leastNormal)
    let normal = shifted &+ (shifted >= 0x7C00 << 13 ? 2 &* Self.rebias : Self.rebias)
    let magnitude = shifted < 0x400 << 13 ? small.bitPattern : normal
    return Float(bitPattern: magnitude | UInt32(bits & 0x8000) << 16)
  }

  /// What the exponents of `Float` are ahead.
  private static var rebias: UInt32 { (127 - 15) << 23 }
  /// The bits of 2⁻¹⁴.
  private static var leastNormal: UInt32 { (127 - 14) << 23 }

  public static var overflow: Float { 65520 }

  public static func rounding(_ floats: [Float]) -> [Self] { rounded(floats, to: Self.self) }
  public static func widening(_ halves: [Self]) -> [Float] { widened(halves) }
  public static func round(_ floats: UnsafeMutableBufferPointer<Float>) { rounded(floats, to: Self.self) }
}
