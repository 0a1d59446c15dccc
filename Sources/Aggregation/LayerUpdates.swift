public import LinearAlgebra

/// The dimensions of one adapted layer.
public struct LayerShape: Equatable, Sendable, CustomStringConvertible {
  /// `d`
  public let outputs: Int
  /// `k`
  public let inputs: Int

  public init(outputs: Int, inputs: Int) {
    self.outputs = outputs
    self.inputs = inputs
  }

  /// `N = r (d + k)`: the floats of one client's two factors.
  public func factorFloatCount(adapterRank: Int) -> Int { adapterRank * (outputs + inputs) }

  public var description: String { "\(outputs)×\(inputs)" }
}

/// One client's factors of one layer, lent: they must outlive every use of the value.
public struct ClientFactors: Sendable {
  /// adapterRank × inputs
  public let a: MatrixView<Float>
  /// outputs × adapterRank
  public let b: MatrixView<Float>
  /// adapterRank × adapterRank; where there is one, the client's update is `b core a`.
  public let core: MatrixView<Float>?

  public init(a: MatrixView<Float>, b: MatrixView<Float>, core: MatrixView<Float>? = nil) {
    self.a = a
    self.b = b
    self.core = core
  }

  public var adapterRank: Int { a.rows }
  public var shape: LayerShape { LayerShape(outputs: b.rows, inputs: a.columns) }

  /// `scale · core a` in Float64; nil without a core.
  func cored(scaledBy scale: Double) -> Matrix<Double>? {
    core.map { core in
      var scaled = Matrix<Double>(core)
      for index in scaled.elements.indices { scaled.elements[index] *= scale }
      return product(scaled, .asStored, Matrix<Double>(a), .asStored)
    }
  }
}

/// What the server has of one layer in one round: the cohort's factors in order of client id, and the
/// clients' weights `p_u`, which sum to one.
public struct LayerUpdates: Sendable {
  public let clients: [ClientFactors]
  public let weights: [Double]
  public let shape: LayerShape

  /// Checks everything that the rules rely on: a client at least, finite weights ≥ 0 that sum to 1 within
  /// 1e-12 per client, factors of one layer shape, a core between them for all clients or for none, no NaN and
  /// no infinity.
  public init(clients: [ClientFactors], weights: [Double]) throws(AggregationError) {
    guard let first = clients.first else { throw .emptyCohort }
    self.clients = clients
    self.weights = weights
    shape = first.shape
    try checkWeights()
    for (index, client) in clients.enumerated() { try check(client, index) }
  }

  /// The adapter rank of every client, or `nil` when they differ.
  public var commonAdapterRank: Int? {
    let rank = clients[0].adapterRank
    return clients.allSatisfy { $0.adapterRank == rank } ? rank : nil
  }

  public var largestAdapterRank: Int { clients.map(\.adapterRank).max() ?? 0 }

  /// The adapter rank of every client; an error that names `rule` and its reason when they differ.
  func uniformAdapterRank(for rule: some AggregationRule) throws(AggregationError) -> Int {
    guard let rank = commonAdapterRank else {
      throw .mixedAdapterRanks(
        rule: rule.name, reason: rule.reasonForOneAdapterRank ?? "", ranks: clients.map(\.adapterRank))
    }
    return rank
  }

  /// The clients' cores; an error that names `rule` when they have none.
  func cores(for rule: String) throws(AggregationError) -> [MatrixView<Float>] {
    let cores = clients.compactMap(\.core)
    guard cores.count == clients.count else { throw .noCore(rule: rule) }
    return cores
  }

  private func checkWeights() throws(AggregationError) {
    guard weights.count == clients.count else {
      throw .weightCount(expected: clients.count, found: weights.count)
    }
    for (index, weight) in weights.enumerated() where !(weight >= 0 && weight.isFinite) {
      throw .invalidWeight(client: index, value: weight)
    }
    let sum = weights.reduce(0, +)
    guard abs(sum - 1) <= 1e-12 * Double(weights.count) else { throw .weightSum(sum) }
  }

  private func check(_ client: ClientFactors, _ index: Int) throws(AggregationError) {
    guard client.a.rows == client.b.columns else {
      throw .factorsDisagree(client: index, rowsOfA: client.a.rows, columnsOfB: client.b.columns)
    }
    guard client.shape == shape else { throw .shape(client: index, expected: shape, found: client.shape) }
    try checkCore(client, index)
    guard isFinite(client.a) else { throw .notFinite(client: index, factor: .a) }
    guard isFinite(client.b) else { throw .notFinite(client: index, factor: .b) }
  }

  private func checkCore(_ client: ClientFactors, _ index: Int) throws(AggregationError) {
    let expected =
      clients[0].core == nil ? nil : LayerShape(outputs: client.adapterRank, inputs: client.adapterRank)
    let found = client.core.map { LayerShape(outputs: $0.rows, inputs: $0.columns) }
    guard found == expected else { throw .core(client: index, expected: expected, found: found) }
    if let core = client.core, !isFinite(core) { throw .notFinite(client: index, factor: .core) }
  }
}

/// Compares bit patterns: the largest of many integers is found in vector registers, a test of each
/// float is not.
private func isFinite(_ matrix: MatrixView<Float>) -> Bool {
  var largest: UInt32 = 0
  for row in 0..<matrix.rows {
    let start = matrix.base + row * matrix.stride
    for column in 0..<matrix.columns {
      largest = max(largest, start[column].bitPattern & 0x7FFF_FFFF)
    }
  }
  return largest < Float.infinity.bitPattern
}
