import HalfPrecision
import Testing

@Suite struct HalfFloatTests {
  /// Every number of a format that is finite and not negative, in ascending order.
  private func magnitudes<Half: HalfFloat>(_ type: Half.Type) -> [Float] {
    (0...UInt16(0x7FFF)).map { Half(bits: $0).float }.prefix { $0.isFinite }.map { $0 }
  }

  private func expectNearest<Half: HalfFloat>(
    _ type: Half.Type, sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let all = magnitudes(Half.self)
    var wrong = 0
    for bits in 0..<all.count - 1 {
      let (low, high) = (all[bits], all[bits + 1])
      // The middle of two neighbours is a Float.
      let middle = Float((Double(low) + Double(high)) / 2)
      let even = UInt16(bits % 2 == 0 ? bits : bits + 1)
      let expected: [(Float, UInt16)] = [
        (low, UInt16(bits)), (middle.nextDown, UInt16(bits)), (middle, even),
        (middle.nextUp, UInt16(bits + 1)), (high, UInt16(bits + 1)),
      ]
      for (value, bits) in expected {
        if Half(value).bits != bits || Half(-value).bits != bits | 0x8000 { wrong += 1 }
      }
    }
    #expect(wrong == 0, sourceLocation: sourceLocation)
    #expect(all == all.sorted() && Set(all).count == all.count, sourceLocation: sourceLocation)
  }

  @Test func everyNumberRoundsToItsNeighbourAndTiesToEven() {
    expectNearest(BFloat16.self)
    expectNearest(Binary16.self)
  }

  private func expectBits<Half: HalfFloat>(
    _ type: Half.Type, _ cases: [(Float, UInt16)], sourceLocation: SourceLocation = #_sourceLocation
  ) {
    for (value, bits) in cases {
      #expect(Half(value).bits == bits, "\(value)", sourceLocation: sourceLocation)
      #expect(Half(-value).bits == bits | 0x8000, "-\(value)", sourceLocation: sourceLocation)
    }
  }

  /// Values of IEEE 754's table and of bfloat16's definition.
  @Test func knownNumbersHaveTheirBits() {
    expectBits(
      Binary16.self,
      [
        (0, 0), (1, 0x3C00), (2, 0x4000), (1.0 / 3, 0x3555), (65504, 0x7BFF), (0x1p-14, 0x0400),
        (0x1.FF8p-15, 0x03FF), (0x1p-24, 0x0001), (0x1.8p-24, 0x0002), (0x1p-25, 0), (0x1.000002p-25, 1),
        (0x1p-149, 0),
      ])
    expectBits(
      BFloat16.self,
      [
        (0, 0), (1, 0x3F80), (2, 0x4000), (1.0 / 3, 0x3EAB), (0x1.FEp127, 0x7F7F), (0x1p-126, 0x0080),
        (0x1p-133, 0x0001), (0x1p-134, 0), (0x1.8p-133, 0x0002), (0x1p-149, 0),
      ])
    #expect(Binary16(bits: 0x0001).float == 0x1p-24 && BFloat16(bits: 0x0001).float == 0x1p-133)
  }

  @Test func whatIsTooLargeBecomesInfinityFromTheMiddleOn() {
    #expect(Binary16(Float(65520).nextDown).float == 65504 && Binary16(65520).bits == 0x7C00)
    #expect(Binary16(1e38).float == .infinity && Binary16(-.infinity).float == -.infinity)
    let middle = BFloat16.overflow
    #expect(BFloat16(middle.nextDown).float == 0x1.FEp127 && BFloat16(middle).float == .infinity)
    #expect(BFloat16(Float.greatestFiniteMagnitude).float == .infinity)
  }

  @Test func notANumberStaysOne() {
    let numbers = [Float.nan, -.nan, .signalingNaN, Float(bitPattern: 0x7F80_0001)]
    for number in numbers {
      #expect(Binary16(number).float.isNaN && BFloat16(number).float.isNaN)
    }
    #expect(Binary16(bits: 0x7E00).float.isNaN && Binary16(bits: 0xFC00).float == -.infinity)
  }

  private func expectArrays<Half: HalfFloat>(
    _ type: Half.Type, sourceLocation: SourceLocation = #_sourceLocation
  ) {
    // All exponents, odd lengths, both signs.
    var state: UInt32 = 12345
    let floats = (0..<10_007).map { _ -> Float in
      state = state &* 1_664_525 &+ 1_013_904_223
      return Float(bitPattern: state)
    }
    let halves = Half.rounding(floats)
    #expect(halves == floats.map { Half($0) }, sourceLocation: sourceLocation)
    let wide = Half.widening(halves)
    #expect(
      wide.map(\.bitPattern) == halves.map(\.float.bitPattern), sourceLocation: sourceLocation)
    var inPlace = floats
    inPlace.withUnsafeMutableBufferPointer { Half.round($0) }
    #expect(inPlace.map(\.bitPattern) == wide.map(\.bitPattern), sourceLocation: sourceLocation)
    #expect(Half.rounding(wide) == halves, sourceLocation: sourceLocation)
  }

  @Test func arraysAreConvertedNumberByNumber() {
    expectArrays(BFloat16.self)
    expectArrays(Binary16.self)
    #expect(BFloat16.rounding([]).isEmpty && Binary16.widening([]).isEmpty)
  }

  private func firstBeyond<Half: HalfFloat>(_ type: Half.Type, _ floats: [Float]) -> Int? {
    var floats = floats
    return floats.withUnsafeMutableBufferPointer { Half.firstBeyond($0) }
  }

  @Test func theFirstNumberThatDoesNotFitIsFound() {
    let ordinary = [Float](repeating: -65519, count: 100)
    #expect(firstBeyond(Binary16.self, ordinary) == nil && firstBeyond(Binary16.self, []) == nil)
    for bad in [65520, -1e30, Float.infinity, .nan, -.nan] {
      #expect(firstBeyond(Binary16.self, ordinary + [bad, bad]) == 100)
    }
    #expect(firstBeyond(BFloat16.self, ordinary + [1e30, -3.39e38]) == nil)
    #expect(firstBeyond(BFloat16.self, ordinary + [1e30, -Float.greatestFiniteMagnitude]) == 101)
  }
}
