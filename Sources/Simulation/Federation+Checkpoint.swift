internal import Adapters
internal import Configuration
internal import Foundation
public import MPI
internal import Safetensors
public import Telemetry
internal import Transformer

// What a run's state after a round consists of is what `Federation` holds from round to round: the global adapter,
// changed base weights, and the memories of the clients that each rank hosts. Rank 0 alone reads and writes;
// a client's memory travels by itself, so that no rank holds more than one that is not its own.

extension Federation {
  /// Whether a checkpoint is to be saved now.
  public var isCheckpointDue: Bool {
    let every = experiment.configuration.checkpoint.every
    return every > 0 && (round % every == 0 || round == experiment.configuration.training.rounds)
  }

  /// Saves the state after the last round in the run's folder. Rank 0 alone brings that, and what the rounds
  /// follow from. A collective operation.
  public func save(
    _ site: (run: RunDirectory, origin: Checkpoint.Origin)?, wallSeconds: Double,
    _ world: borrowing Communicator
  ) throws {
    let own = memoryShapes
    let gathered = try world.gatherArrays(own.flatMap(\.wire), to: Self.root)
    if let site, let gathered {
      let shapes = gathered.flatMap { $0.chunked(by: MemoryShape.wireCount) }.map(MemoryShape.init(wire:))
        .sorted { $0.client < $1.client }
      try Checkpoint.save(
        experiment.configuration, round: round, wallSeconds: wallSeconds, origin: site.origin, in: site.run
      ) { folder in
        try writeServer(to: folder)
        try writeClients(shapes, to: folder, world)
      }
    } else {
      for shape in own {
        try world.send(memories[shape.client]!.floats, to: Self.root, tag: Self.memoryTag)
      }
    }
    savedRound = round
  }

  private static let memoryTag = 7

  /// Of this rank's clients that have something to remember, in order of client id.
  private var memoryShapes: [MemoryShape] {
    memories.sorted { $0.key < $1.key }.map { MemoryShape(client: $0.key, $0.value) }
      .filter { $0.floatCount > 0 }
  }

  private func writeServer(to folder: String) throws {
    var writer = SafetensorsWriter()
    writer.add(name: ServerTensor.global, shape: [global.values.count], floats: global.values)
    writer.add(name: ServerTensor.evaluated, shape: [evaluated.values.count], floats: evaluated.values)
    if let base { writer.add(name: ServerTensor.base, shape: [base.values.count], floats: base.values) }
    try writer.write(to: folder + "/" + Checkpoint.File.server)
  }

  /// A table of the clients' shapes, and one tensor a client, in the order in which their ranks send them.
  private func writeClients(
    _ shapes: [MemoryShape], to folder: String, _ world: borrowing Communicator
  ) throws {
    var writer = SafetensorsWriter()
    writer.add(
      name: ClientTensor.table, shape: [shapes.count, MemoryShape.wireCount], integers: shapes.flatMap(\.wire)
    )
    for shape in shapes {
      writer.announce(name: ClientTensor.name(of: shape.client), shape: [shape.floatCount])
    }
    var next = shapes.makeIterator()
    try writer.write(to: folder + "/" + Checkpoint.File.clients) { _ in
      let client = next.next()!.client
      let host = placement.rank(ofClient: client)
      if host == Self.root { return memories[client]!.floats }
      return try world.receiveArray(of: Float.self, from: host, tag: Self.memoryTag).array
    }
  }
}

extension Federation {
  /// Takes up the state of a checkpoint, which rank 0 alone brings. The run may have been on other ranks. A
  /// collective operation.
  public func restore(_ checkpoint: Checkpoint?, _ world: borrowing Communicator) throws {
    let stored = try world.together {
      try checkpoint.map { try StoredState($0, layout: experiment.layout, hasBase: experiment.changesBase) }
    }
    var round = Int64(checkpoint?.record.round ?? 0)
    try world.broadcast(&round, from: Self.root)
    if let stored { (global.values, evaluated.values) = (stored.global, stored.evaluated) }
    try world.broadcast(&global.values, from: Self.root)
    try world.broadcast(&evaluated.values, from: Self.root)
    if experiment.changesBase {
      var values = stored?.base ?? [Float](repeating: 0, count: experiment.layout.baseCount)
      try world.broadcast(&values, from: Self.root)
      base = BaseWeights(layout: experiment.layout, values: values)
    }
    try restoreMemories(stored, world)
    self.round = Int(round)
    savedRound = self.round
  }

  private func restoreMemories(_ stored: StoredState?, _ world: borrowing Communicator) throws {
    var table = stored?.shapes.flatMap(\.wire) ?? []
    try world.broadcastArray(&table, from: Self.root)
    for shape in table.chunked(by: MemoryShape.wireCount).map(MemoryShape.init(wire:)) {
      let host = placement.rank(ofClient: shape.client)
      if let stored {
        let floats = try stored.floats(of: shape)
        if host == world.rank {
          memories[shape.client] = ClientMemory(shape, floats: floats)
        } else {
          try world.send(floats, to: host, tag: Self.memoryTag)
        }
      } else if host == world.rank {
        let floats = try world.receiveArray(of: Float.self, from: Self.root, tag: Self.memoryTag).array
        memories[shape.client] = ClientMemory(shape, floats: floats)
      }
    }
  }
}

private enum ServerTensor {
  static let global = "global"
  static let evaluated = "evaluated"
  static let base = "base"
}

private enum ClientTensor {
  static let table = "clients"

  /// Client ids have 24 bits: names in ascending order are those of ascending clients.
  static func name(of client: Int) -> String {
    let digits = "\(client)"
    return "client." + String(repeating: "0", count: 8 - digits.count) + digits
  }
}

/// A checkpoint's tensors as rank 0 reads them, checked against the run.
private struct StoredState {
  let global: [Float]
  let evaluated: [Float]
  let base: [Float]?
  let shapes: [MemoryShape]
  private let clients: SafetensorsFile

  init(_ checkpoint: Checkpoint, layout: AdapterLayout, hasBase: Bool) throws {
    let server = try SafetensorsFile(path: checkpoint.path(of: Checkpoint.File.server))
    func floats(_ name: String, count: Int) throws -> [Float] {
      try withExtendedLifetime(server) { Array(try server.floats(named: name, shape: [count])) }
    }
    global = try floats(ServerTensor.global, count: layout.count)
    evaluated = try floats(ServerTensor.evaluated, count: layout.count)
    base = hasBase ? try floats(ServerTensor.base, count: layout.baseCount) : nil
    clients = try SafetensorsFile(path: checkpoint.path(of: Checkpoint.File.clients))
    shapes = try clients.integers(named: ClientTensor.table, as: Int64.self)
      .chunked(by: MemoryShape.wireCount).map(MemoryShape.init(wire:))
  }

  func floats(of shape: MemoryShape) throws -> [Float] {
    try withExtendedLifetime(clients) {
      Array(try clients.floats(named: ClientTensor.name(of: shape.client), shape: [shape.floatCount]))
    }
  }
}
