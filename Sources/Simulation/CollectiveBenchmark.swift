public import MPI
public import Telemetry

/// Times the collective operations of a round at given message sizes, beside the bare calls of C on the same
/// buffers: what the OSU micro-benchmarks measure, and what this program adds to it.
public struct CollectiveBenchmark {
  /// What is measured; a size is that of one rank's part, in bytes.
  public enum Operation: String, Sendable, CaseIterable {
    /// Every rank's part to rank 0.
    case gather
    /// The same through counts and offsets of every rank.
    case gatherv
    /// Rank 0's buffer to all.
    case broadcast
    /// Every rank's part to all.
    case allgather
    /// The largest of the ranks' numbers, to all.
    case allreduce
  }

  /// One line of the table.
  public struct Result: Sendable, JSONRepresentable {
    public let operation: Operation
    public let byteCount: Int
    public let rankCount: Int
    public let iterations: Int
    /// Mean seconds of an operation on each rank, between the ranks' extremes.
    public let seconds: Spread
    /// Median over iterations of the slowest rank's seconds, through the program and by the bare call.
    public let medianSeconds: Double
    public let bareMedianSeconds: Double

    /// Bytes that come to the rank to which most come, over the slowest rank's median.
    public var bytesPerSecond: Double { Double(receivedByteCount) / medianSeconds }

    /// What the program adds to the bare call, as a share of it.
    public var overhead: Double { medianSeconds / bareMedianSeconds - 1 }

    private var receivedByteCount: Int {
      switch operation {
      case .gather, .gatherv, .allgather: (rankCount - 1) * byteCount
      case .broadcast, .allreduce: byteCount
      }
    }

    public var json: JSONValue {
      .object([
        ("benchmark", .string("collectives")), ("operation", .string(operation.rawValue)),
        ("bytes", .integer(byteCount)), ("ranks", .integer(rankCount)), ("iterations", .integer(iterations)),
        ("seconds", seconds.json), ("medianSeconds", .number(medianSeconds)),
        ("bareMedianSeconds", .number(bareMedianSeconds)), ("overhead", .number(overhead)),
        ("bytesPerSecond", .number(bytesPerSecond)),
      ])
    }
  }

  /// Iterations of every size; nil for as many as the size asks for.
  private let iterations: Int?

  public init(iterations: Int?) { self.iterations = iterations }

  /// Measures one operation at one size; the result at rank 0, nil elsewhere. A collective operation.
  public func run(
    _ operation: Operation, byteCount: Int, _ world: borrowing Communicator
  ) throws -> Result? {
    let iterations = iterations ?? Self.iterations(byteCount)
    let buffers = CollectiveBuffers(operation, byteCount: byteCount, rank: world.rank, size: world.size)
    defer { buffers.free() }
    var times: (own: [Double], bare: [Double]) = ([], [])
    for iteration in -Self.warmUp(iterations)..<iterations {
      // In turns, so that neither always finds the buffers that the other has warmed.
      for isBare in iteration.isMultiple(of: 2) ? [true, false] : [false, true] {
        let seconds = try timed(world) { try isBare ? buffers.callBare(world) : buffers.call(world) }
        guard iteration >= 0 else { continue }
        if isBare { times.bare.append(seconds) } else { times.own.append(seconds) }
      }
    }
    let mean = times.own.reduce(0, +) / Double(iterations)
    let slowest = (
      own: try world.reduce(times.own, .maximum, to: 0), bare: try world.reduce(times.bare, .maximum, to: 0)
    )
    let means = try world.gather(mean, to: 0)
    guard let own = slowest.own, let bare = slowest.bare, let means else { return nil }
    return Result(
      operation: operation, byteCount: byteCount, rankCount: world.size, iterations: iterations,
      seconds: Spread(of: means), medianSeconds: own.median, bareMedianSeconds: bare.median)
  }

  /// As many as take about a second in all, few of them for large messages.
  private static func iterations(_ byteCount: Int) -> Int {
    max(10, min(1000, (64 << 20) / max(byteCount, 1)))
  }

  private static func warmUp(_ iterations: Int) -> Int { max(2, iterations / 10) }

  /// Seconds of this rank, from a common start.
  private func timed(_ world: borrowing Communicator, _ body: () throws -> Void) throws -> Double {
    try world.barrier()
    let watch = Stopwatch()
    try body()
    return watch.elapsedSeconds
  }
}

/// Every buffer of one measurement, touched before it begins.
private struct CollectiveBuffers {
  private let operation: CollectiveBenchmark.Operation
  private let part: UnsafeMutableBufferPointer<Float>
  private let whole: UnsafeMutableBufferPointer<Float>?
  private let layout: RankLayout

  init(_ operation: CollectiveBenchmark.Operation, byteCount: Int, rank: Int, size: Int) {
    self.operation = operation
    let count = max(1, byteCount / MemoryLayout<Float>.stride)
    layout = RankLayout(counts: [Int](repeating: count, count: size))
    part = .allocate(capacity: count)
    part.initialize(repeating: 1)
    let receives: Bool =
      switch operation {
      case .gather, .gatherv: rank == 0
      case .allgather: true
      case .broadcast, .allreduce: false
      }
    whole = receives ? .allocate(capacity: size * count) : nil
    whole?.initialize(repeating: 0)
  }

  func free() {
    part.deallocate()
    whole?.deallocate()
  }

  func call(_ world: borrowing Communicator) throws(MPIError) {
    switch operation {
    case .gather: try world.gather(UnsafeBufferPointer(part), into: whole, to: 0)
    case .gatherv: try world.gather(UnsafeBufferPointer(part), layout: layout, into: whole, to: 0)
    case .broadcast: try world.broadcast(part, from: 0)
    case .allgather: try world.allgather(UnsafeBufferPointer(part), into: whole!)
    case .allreduce: try world.allreduce(part, .maximum)
    }
  }

  func callBare(_ world: borrowing Communicator) throws(MPIError) {
    switch operation {
    case .gather: try BareCollective.gather(UnsafeBufferPointer(part), into: whole, to: 0, world)
    case .gatherv:
      try BareCollective.gather(UnsafeBufferPointer(part), layout: layout, into: whole, to: 0, world)
    case .broadcast: try BareCollective.broadcast(part, from: 0, world)
    case .allgather: try BareCollective.allgather(UnsafeBufferPointer(part), into: whole!, world)
    case .allreduce: try BareCollective.allreduce(part, world)
    }
  }
}
