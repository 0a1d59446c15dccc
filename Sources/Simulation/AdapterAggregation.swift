internal import Adapters
internal import Aggregation
public import Configuration
internal import LinearAlgebra
public import MPI

/// The aggregation of PEFT adapters from files into one, layer by layer.
///
/// Layer i is worked on by rank i mod P. A rank keeps the factors of one layer in memory at a time, the root
/// the output besides. The result does not depend on the number of ranks.
public struct AdapterAggregation: Sendable {
  let rule: any AggregationRule
  /// The first one gives the output its configuration and scalings.
  let adapters: [PEFTFolder]
  /// They sum to 1.
  let weights: [Double]
  /// What adapters and result are rounded to, as a run of this `server.wire` rounds what it sends.
  let wire: RunConfiguration.Server.Wire
  private let output: String

  static let root = 0

  /// Opens the adapters in `folders` and checks that they fit each other and the method.
  ///
  /// `weights` are positive, one an adapter, and need not sum to 1; nil weighs all the same. The folder
  /// `output` must not hold an adapter. Errors name the folder, the layer, what was expected and found.
  public init(
    method: String, folders: [String], weights: [Double]?, output: String,
    wire: RunConfiguration.Server.Wire = .f32
  ) throws {
    self.wire = wire
    rule = try AggregationRules.rule(named: method)
    try Self.requireOneAdapter(of: rule)
    let weights = weights ?? [Double](repeating: 1, count: folders.count)
    guard weights.count == folders.count else {
      throw AdapterAggregationError.weightCount(adapters: folders.count, weights: weights.count)
    }
    let sum = weights.reduce(0, +)
    self.weights = weights.map { $0 / sum }
    try PEFTFolderWriter.requireRoom(at: output)
    self.output = output
    adapters = try folders.map { try PEFTFolder(path: $0) }
    for adapter in adapters.dropFirst() { try adapters[0].requireFit(of: adapter) }
    try Self.requireOneBase(adapters)
  }

  /// Methods that leave factors with the clients, change the base weight or need a core have no single adapter
  /// as result.
  static func requireOneAdapter(of rule: any AggregationRule) throws {
    let plan = rule.wirePlan(round: 1)
    guard plan != .bothFactors else { return }
    let reason =
      plan.uploaded.contains(.core)
      ? "it averages an r × r core between fixed factors, which PEFT adapters do not carry"
      : plan.base == .none ? "it combines only a part of the factors" : "it changes the base weights"
    throw AdapterAggregationError.notOneAdapter(method: rule.name, reason: reason)
  }

  /// Aggregates on all ranks together and writes the output at rank 0. The report at rank 0, nil elsewhere.
  public func run(_ world: borrowing Communicator) throws -> AdapterAggregationReport? {
    let (rank, size) = (world.rank, world.size)
    let layers = adapters[0].layers
    var writer = PEFTFolderWriter(like: adapters[0])
    var figures: [LayerFigures] = []
    for start in stride(from: 0, to: layers.count, by: size) {
      let own = start + rank < layers.count ? layers[start + rank] : nil
      let result = try world.together { try own.map { try aggregate($0) } }
      let values = try world.gatherArrays(result.map { $0.a.elements + $0.b.elements } ?? [], to: Self.root)
      let numbers = try world.gatherArrays(result?.figures.wire ?? [], to: Self.root)
      guard let values, let numbers else { continue }
      for (offset, layer) in layers[start...].prefix(size).enumerated() {
        let found = LayerFigures(layer, wire: numbers[offset])
        writer.add(layer, found.adapterRank, values[offset])
        figures.append(found)
      }
    }
    try world.together { if rank == Self.root { try finish(&writer) } }
    guard rank == Self.root else { return nil }
    return AdapterAggregationReport(
      method: rule.name, output: output, adapters: Array(zip(adapters.map(\.path), weights)), wire: wire,
      layers: figures)
  }

  private func finish(_ writer: inout PEFTFolderWriter) throws {
    for tensor in adapters[0].savedTensors { writer.add(tensor, values: try mean(of: tensor)) }
    try writer.write(to: output)
  }
}

/// One layer's aggregate.
private struct LayerResult {
  let a: Matrix<Float>
  let b: Matrix<Float>
  let figures: LayerFigures
}

extension AdapterAggregation {
  private func aggregate(_ layer: PEFTLayer) throws -> LayerResult {
    do {
      return try withUpdates(of: layer, as: .f32) { updates in
        let plain = try rule.aggregate(updates)
        let sent = wire == .f32 ? plain : try aggregateRounded(layer)
        // Both against the adapters as they are.
        let diagnostics = try diagnose(updates, wire == .f32 ? [sent] : [sent, plain])
        return LayerResult(a: sent.a, b: sent.b, figures: LayerFigures(layer, sent, diagnostics))
      }
    } catch let error as AggregationError {
      throw AdapterAggregationError.layer(layer.name, cause: cause(error))
    }
  }

  /// The layer as a federation would get it that sends it on the wire both ways.
  private func aggregateRounded(_ layer: PEFTLayer) throws -> AggregatedLayer {
    let aggregated = try withUpdates(of: layer, as: wire) { try rule.aggregate($0) }
    var (a, b) = (aggregated.a, aggregated.b)
    try round(&a.elements, as: wire, "\(layer.name) of the result")
    try round(&b.elements, as: wire, "\(layer.name) of the result")
    return AggregatedLayer(
      a: a, b: b, coefficients: aggregated.coefficients, sweeps: aggregated.sweeps)
  }

  private func withUpdates<Result>(
    of layer: PEFTLayer, as wire: WireFormat, _ body: (LayerUpdates) throws -> Result
  ) throws -> Result {
    let factors = try adapters.map { try scaledFactors(of: layer, in: $0, as: wire) }
    return try withViews(of: factors) { try body(LayerUpdates(clients: $0, weights: weights)) }
  }

  private func round(_ floats: inout [Float], as wire: WireFormat, _ item: String) throws {
    do { try wire.round(&floats) } catch {
      throw AdapterAggregationError.beyondWire(item: item, cause: "\(error)")
    }
  }

  /// The adapter's factors of the layer as they are under the output's scaling: where its own is another, B
  /// takes the ratio, after it was rounded to the wire. A is left as it is, so that adapters that share A still do.
  private func scaledFactors(
    of layer: PEFTLayer, in adapter: PEFTFolder, as wire: WireFormat
  ) throws -> (a: Matrix<Float>, b: Matrix<Float>) {
    guard let own = adapter[layer.name] else { preconditionFailure("\(layer.name): checked, but missing") }
    var factors = try reading { try adapter.factors(of: own) }
    try round(&factors.a.elements, as: wire, "\(adapter.weightsPath): \(layer.name)")
    try round(&factors.b.elements, as: wire, "\(adapter.weightsPath): \(layer.name)")
    let ratio = own.scaling / layer.scaling
    if ratio != 1 {
      for index in factors.b.elements.indices {
        factors.b.elements[index] = rescaled(factors.b.elements[index], by: ratio)
      }
    }
    return factors
  }

  /// The weighted mean of a tensor of `modules_to_save`, summed in Float64 in the order of the adapters.
  private func mean(of tensor: HeadTensor) throws -> [Float] {
    var sum = [Double](repeating: 0, count: tensor.elementCount)
    for (adapter, weight) in zip(adapters, weights) {
      var values = try reading { try adapter.values(of: tensor) }
      try round(&values, as: wire, "\(adapter.weightsPath): \(tensor.name)")
      for index in sum.indices { sum[index] += weight * Double(values[index]) }
    }
    var mean = sum.map { Float($0) }
    try round(&mean, as: wire, "\(tensor.name) of the result")
    return mean
  }

  private func reading<Result>(_ body: () throws -> Result) throws -> Result {
    do { return try body() } catch { throw AdapterAggregationError.unreadable(cause: "\(error)") }
  }

  /// The rule's error in the words of the user, who knows folders, not clients.
  private func cause(_ error: AggregationError) -> String {
    switch error {
    case .notFinite(let client, let factor):
      "\(adapters[client].weightsPath): expected finite numbers, found NaN or infinity in \(factor)"
    case .mixedAdapterRanks(let rule, let reason, let ranks):
      other(thanFirst: ranks).map { position in
        "expected one adapter rank for \(rule) (\(reason)), found \(ranks[0]) in \(adapters[0].path) "
          + "and \(ranks[position]) in \(adapters[position].path)"
      } ?? "\(error)"
    default: "\(error)"
    }
  }

  private func other(thanFirst ranks: [Int]) -> Int? { ranks.firstIndex { $0 != ranks[0] } }
}

extension PEFTFolderWriter {
  /// Adds a layer's factors, A before B in `values`.
  fileprivate mutating func add(_ layer: PEFTLayer, _ adapterRank: Int, _ values: [Float]) {
    let count = adapterRank * layer.inputs
    add(
      layer, a: Matrix(rows: adapterRank, columns: layer.inputs, elements: Array(values[..<count])),
      b: Matrix(rows: layer.outputs, columns: adapterRank, elements: Array(values[count...])))
  }
}

/// Lends all factors at once.
private func withViews<Result>(
  of factors: [(a: Matrix<Float>, b: Matrix<Float>)], lent: [ClientFactors] = [],
  _ body: ([ClientFactors]) throws -> Result
) throws -> Result {
  guard lent.count < factors.count else { return try body(lent) }
  let pair = factors[lent.count]
  return try pair.a.withView { a in
    try pair.b.withView { b in
      try withViews(of: factors, lent: lent + [ClientFactors(a: a, b: b)], body)
    }
  }
}
