internal import MPI

/// Memory that MPI works on while the program goes on: its address does not change.
private struct TransferBuffer {
  let floats: UnsafeMutableBufferPointer<Float>

  init(_ values: [Float]) {
    floats = .allocate(capacity: values.count)
    _ = floats.initialize(from: values)
  }

  /// The values; the memory is given back.
  func take() -> [Float] {
    defer { floats.deallocate() }
    return Array(floats)
  }
}

/// The gather of one parcel, which is under way between `start` and `finish`. One that is not finished,
/// because the job ends, keeps its memory.
final class PipelinedGather {
  let order: GatherOrder
  private let packed: [Float]
  private let server: Int
  private let isServer: Bool
  private var pending: (part: TransferBuffer, whole: TransferBuffer, operation: PendingOperation)?

  init(_ updates: PackedUpdates, _ order: GatherOrder, to server: Int, rank: Int) {
    packed = updates.floats
    self.order = order
    self.server = server
    isServer = rank == server
  }

  func start(_ world: borrowing Communicator) throws {
    let part = TransferBuffer(packed)
    let whole = TransferBuffer([Float](repeating: 0, count: isServer ? order.count : 0))
    let operation = try world.startGather(
      UnsafeBufferPointer(part.floats), layout: RankLayout(counts: order.rankCounts),
      into: isServer ? whole.floats : nil, to: server)
    pending = (part, whole, operation)
  }

  /// What is under way, between `start` and `finish`.
  var operation: PendingOperation? { pending?.operation }

  /// The gathered floats at the server, nil elsewhere.
  func finish() throws -> [Float]? {
    guard let (part, whole, operation) = pending else { preconditionFailure("a gather that was not started") }
    pending = nil
    try operation.wait()
    _ = part.take()
    let floats = whole.take()
    return isServer ? floats : nil
  }
}

/// The broadcast of one parcel's message, under way until `finish`.
struct PipelinedBroadcast {
  private var message: ServerMessage
  private let buffer: TransferBuffer
  let operation: PendingOperation

  init(_ message: ServerMessage, from server: Int, _ world: borrowing Communicator) throws {
    self.message = message
    buffer = TransferBuffer(message.floats)
    self.message.floats = []
    operation = try world.startBroadcast(buffer.floats, from: server)
  }

  /// The message as the server sent it.
  func finish() throws -> ServerMessage {
    try operation.wait()
    var message = message
    message.floats = buffer.take()
    return message
  }
}
