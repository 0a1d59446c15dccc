/// What random numbers are drawn for. Streams of different purposes never share a number.
public enum RandomPurpose: UInt8, Sendable, CaseIterable {
  case adapterStart = 1
  case headStart
  case partition
  case heldOut
  case cohort
  case batchOrder
  case dropout
  case benchmark
  case test
}

/// The name of a stream of random numbers: which seed, for what, for whom, when.
///
/// Two different keys never share a number: the parts fill the 128-bit counter side by side.
/// A stream holds 2³⁴ numbers of 32 bits.
public struct RandomKey: Sendable, Equatable {
  /// The run's seed.
  public var seed: UInt64
  /// What the numbers are for.
  public var purpose: RandomPurpose
  /// Client id, below 2²⁴.
  public var client: Int
  /// Round, below 2³².
  public var round: Int
  /// Local step, below 2²⁰.
  public var step: Int
  /// A part of the step that draws on its own, such as one adapted layer; below 2¹².
  public var part: Int

  public init(
    seed: UInt64, purpose: RandomPurpose, client: Int = 0, round: Int = 0, step: Int = 0, part: Int = 0
  ) {
    self.seed = seed
    self.purpose = purpose
    self.client = client
    self.round = round
    self.step = step
    self.part = part
  }

  /// A key numbered by one long count, such as a client's epochs over a whole run: its low 20 bits are the step,
  /// the rest is the round. Below 2⁵².
  public init(seed: UInt64, purpose: RandomPurpose, client: Int = 0, longCount count: Int) {
    self.init(
      seed: seed, purpose: purpose, client: client, round: count >> Self.stepBits,
      step: count & (1 << Self.stepBits - 1))
  }

  private static let stepBits = 20

  /// Philox's key: the seed's low and high half.
  public var philoxKey: SIMD2<UInt32> {
    SIMD2(UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32))
  }

  /// Philox's counter for block 0; the block's index is the counter's first word.
  public var philoxCounter: SIMD4<UInt32> {
    precondition((0..<1 << 24).contains(client), "client \(client) is not in 0..<2^24")
    precondition((0..<1 << 32).contains(round), "round \(round) is not in 0..<2^32")
    precondition((0..<1 << Self.stepBits).contains(step), "step \(step) is not in 0..<2^20")
    precondition((0..<1 << 12).contains(part), "part \(part) is not in 0..<2^12")
    return SIMD4(
      0, UInt32(step) | UInt32(part) << 20, UInt32(round), UInt32(client) | UInt32(purpose.rawValue) << 24)
  }
}

/// The random numbers of one key, in order.
public struct RandomStream: RandomNumberGenerator, Sendable {
  private let key: SIMD2<UInt32>
  private var counter: SIMD4<UInt32>
  private var block = SIMD4<UInt32>()
  private var used = 4

  public init(_ key: RandomKey) {
    self.key = key.philoxKey
    counter = key.philoxCounter
  }

  /// The next 32 bits.
  public mutating func nextWord() -> UInt32 {
    if used == 4 {
      block = Philox.block(counter: counter, key: key)
      counter[0] &+= 1
      used = 0
    }
    defer { used += 1 }
    return block[used]
  }

  public mutating func next() -> UInt64 {
    let low = UInt64(nextWord())
    return low | UInt64(nextWord()) << 32
  }
}
