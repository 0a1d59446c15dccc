import Randomness
import Testing

@Suite struct PhiloxTests {
  // The known answers that the authors of Random123 publish for philox4x32, 10 rounds.
  @Test func knownAnswers() {
    #expect(
      Philox.block(counter: .zero, key: .zero) == SIMD4(0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8))
    #expect(
      Philox.block(counter: SIMD4(repeating: .max), key: SIMD2(repeating: .max))
        == SIMD4(0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd))
    #expect(
      Philox.block(
        counter: SIMD4(0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344),
        key: SIMD2(0xa409_3822, 0x299f_31d0))
        == SIMD4(0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1))
  }

  @Test func differentKeysGiveDifferentStreams() {
    let keys = [
      RandomKey(seed: 1, purpose: .test), RandomKey(seed: 2, purpose: .test),
      RandomKey(seed: 1, purpose: .cohort), RandomKey(seed: 1, purpose: .test, client: 1),
      RandomKey(seed: 1, purpose: .test, round: 1), RandomKey(seed: 1, purpose: .test, step: 1),
      RandomKey(seed: 1, purpose: .test, part: 1),
    ]
    let firsts = keys.map { key in
      var stream = RandomStream(key)
      return stream.next() as UInt64
    }
    #expect(Set(firsts).count == keys.count)
  }

  @Test func aLongCountIsAStepUntilItsBitsAreUsedUp() {
    func key(_ count: Int) -> RandomKey { RandomKey(seed: 1, purpose: .test, client: 2, longCount: count) }
    let last = 1 << 20 - 1
    #expect(key(last) == RandomKey(seed: 1, purpose: .test, client: 2, step: last))
    #expect(key(last + 1) == RandomKey(seed: 1, purpose: .test, client: 2, round: 1))
    #expect(key(1 << 52 - 1) == RandomKey(seed: 1, purpose: .test, client: 2, round: 1 << 32 - 1, step: last))
  }
}
