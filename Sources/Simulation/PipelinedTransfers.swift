internal import MPI

/// Memory that MPI works on while the program goes on: its address does not change.
private struct TransferBuffer<Element: WireElement> {
  let elements: UnsafeMutableBufferPointer<Element>

  init(_ values: [Element]) {
    elements = .allocate(capacity: values.count)
    _ = elements.initialize(from: values)
  }

  /// Zeros, which have no bit set in any format.
  init(zeroCount count: Int) {
    let bytes = UnsafeMutableRawBufferPointer.allocate(
      byteCount: count * MemoryLayout<Element>.stride, alignment: MemoryLayout<Element>.alignment)
    bytes.initializeMemory(as: UInt8.self, repeating: 0)
    elements = bytes.bindMemory(to: Element.self)
  }

  /// The values; the memory is given back.
  func take() -> [Float] {
    defer { release() }
    return Element.unpacked(Array(elements))
  }

  func release() { elements.deallocate() }
}

/// An operation on such memory.
private struct PipelinedOperation {
  let operation: PendingOperation
  /// What has arrived; the memory is given back.
  let take: () -> [Float]

  func finish() throws -> [Float] {
    try operation.wait()
    return take()
  }
}

/// The gather of one parcel, which is under way between `start` and `finish`. One that is not finished,
/// because the job ends, keeps its memory.
final class PipelinedGather {
  let order: GatherOrder
  private let packed: PackedUpdates
  private let server: Int
  private let isServer: Bool
  private var pending: PipelinedOperation?

  init(_ updates: PackedUpdates, _ order: GatherOrder, to server: Int, rank: Int) {
    packed = updates
    self.order = order
    self.server = server
    isServer = rank == server
  }

  func start(_ world: borrowing Communicator) throws {
    pending = try start(as: packed.wire.element, world)
  }

  private func start<Element: WireElement>(
    as type: Element.Type, _ world: borrowing Communicator
  ) throws -> PipelinedOperation {
    let part = TransferBuffer(Element.packed(packed.floats))
    let whole = TransferBuffer<Element>(zeroCount: isServer ? order.count : 0)
    let operation = try world.startGather(
      UnsafeBufferPointer(part.elements), layout: RankLayout(counts: order.rankCounts),
      into: isServer ? whole.elements : nil, to: server)
    return PipelinedOperation(operation: operation) {
      part.release()
      return whole.take()
    }
  }

  /// What is under way, between `start` and `finish`.
  var operation: PendingOperation? { pending?.operation }

  /// The gathered floats at the server, nil elsewhere.
  func finish() throws -> [Float]? {
    guard let started = pending else { preconditionFailure("a gather that was not started") }
    pending = nil
    let floats = try started.finish()
    return isServer ? floats : nil
  }
}

/// The broadcast of one parcel's message, under way until `finish`.
struct PipelinedBroadcast {
  private var message: ServerMessage
  private let pending: PipelinedOperation

  init(_ message: ServerMessage, from server: Int, _ world: borrowing Communicator) throws {
    self.message = message
    self.message.floats = []
    pending = try Self.start(message.floats, as: message.wire.element, from: server, world)
  }

  private static func start<Element: WireElement>(
    _ floats: [Float], as type: Element.Type, from server: Int, _ world: borrowing Communicator
  ) throws -> PipelinedOperation {
    let buffer = TransferBuffer(Element.packed(floats))
    return PipelinedOperation(
      operation: try world.startBroadcast(buffer.elements, from: server), take: buffer.take)
  }

  var operation: PendingOperation { pending.operation }

  /// The message as the server sent it.
  func finish() throws -> ServerMessage {
    var message = message
    message.floats = try pending.finish()
    return message
  }
}

/// The transfers of parcels that follow one another: while one is estimated, the next travels up and the one
/// before down.
struct Pipeline {
  private let gathers: [PipelinedGather]
  /// Those under way, the oldest first.
  private var broadcasts: [PipelinedBroadcast] = []

  init(_ updates: PackedParcels, _ orders: [GatherOrder], _ parcels: [Parcel], rank: Int) {
    gathers = parcels.indices.map {
      PipelinedGather(updates.updates[$0], orders[$0], to: parcels[$0].server, rank: rank)
    }
  }

  func startGather(_ index: Int, _ world: borrowing Communicator) throws { try gathers[index].start(world) }

  /// The gathered floats of a parcel at its server, nil elsewhere.
  func finishGather(_ index: Int) throws -> [Float]? { try gathers[index].finish() }

  mutating func startBroadcast(
    _ message: ServerMessage, from server: Int, _ world: borrowing Communicator
  ) throws {
    broadcasts.append(try PipelinedBroadcast(message, from: server, world))
  }

  /// The message whose broadcast was started first.
  mutating func finishBroadcast() throws -> ServerMessage { try broadcasts.removeFirst().finish() }

  /// Runs the server's work on a parcel while what is under way goes on; elsewhere `body` runs alone.
  func progressing<Result>(
    at server: Int, _ world: borrowing Communicator, _ body: () throws -> Result
  ) throws -> Result {
    let underWay = gathers.compactMap(\.operation) + broadcasts.map(\.operation)
    return try world.progressing(world.rank == server ? underWay : [], body)
  }
}
