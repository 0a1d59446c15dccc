internal import Transformer

/// What a client's memory holds, as a checkpoint's table says it.
struct MemoryShape: Sendable, Equatable {
  let client: Int
  /// Floats that the client keeps.
  let kept: Int
  /// Floats of each of the optimiser's two moments.
  let moments: Int
  /// Steps that the optimiser has taken.
  let steps: Int

  static let wireCount = 4

  var floatCount: Int { kept + 2 * moments }

  var wire: [Int64] { [client, kept, moments, steps].map(Int64.init) }

  init(client: Int, _ memory: ClientMemory) {
    self.client = client
    kept = memory.kept?.count ?? 0
    moments = memory.optimizer?.first.count ?? 0
    steps = memory.optimizer?.steps ?? 0
  }

  init(wire: ArraySlice<Int64>) {
    precondition(wire.count == Self.wireCount, "\(wire.count) numbers of a memory's shape")
    let numbers = wire.map(Int.init)
    (client, kept, moments, steps) = (numbers[0], numbers[1], numbers[2], numbers[3])
  }
}

extension ClientMemory {
  /// All floats one after another: what is kept, then the optimiser's moments.
  var floats: [Float] { (kept ?? []) + (optimizer.map { $0.first + $0.second } ?? []) }

  /// The memory of this shape that has these floats.
  init(_ shape: MemoryShape, floats: [Float]) {
    precondition(floats.count == shape.floatCount, "\(floats.count) floats for \(shape)")
    kept = shape.kept > 0 ? Array(floats.prefix(shape.kept)) : nil
    let moments = floats.dropFirst(shape.kept)
    optimizer =
      shape.moments > 0
      ? OptimizerState(
        first: Array(moments.prefix(shape.moments)), second: Array(moments.dropFirst(shape.moments)),
        steps: shape.steps) : nil
  }
}
