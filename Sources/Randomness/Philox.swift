/// The counter-based generator Philox4x32-10: ten rounds of a keyed bijection of a 128-bit counter.
///
/// A block is a pure function of key and counter, so that any number of any stream can be had without
/// drawing those before it. Source: Salmon et al., "Parallel random numbers: as easy as 1, 2, 3" (SC'11).
public enum Philox {
  /// The four 32-bit numbers that belong to `counter` under `key`.
  public static func block(counter: SIMD4<UInt32>, key: SIMD2<UInt32>) -> SIMD4<UInt32> {
    var state = counter
    var roundKey = key
    for _ in 0..<10 {
      let first = UInt64(state[0]) * 0xD251_1F53
      let second = UInt64(state[2]) * 0xCD9E_8D57
      state = SIMD4(
        UInt32(truncatingIfNeeded: second >> 32) ^ state[1] ^ roundKey[0],
        UInt32(truncatingIfNeeded: second),
        UInt32(truncatingIfNeeded: first >> 32) ^ state[3] ^ roundKey[1],
        UInt32(truncatingIfNeeded: first))
      roundKey &+= SIMD2(0x9E37_79B9, 0xBB67_AE85)
    }
    return state
  }
}
