import Aggregation
import LinearAlgebra
import Randomness
import Testing

/// A cohort that owns its factors, to lend them to the rules.
struct Cohort {
  var a: [Matrix<Float>]
  var b: [Matrix<Float>]
  /// One a client, or none at all.
  var core: [Matrix<Float>] = []
  var weights: [Double]

  var count: Int { a.count }

  /// Lends the factors as updates, without the last `gap` columns of each.
  func withUpdates<Result>(gap: Int = 0, _ body: (LayerUpdates) throws -> Result) throws -> Result {
    try lend(a + b + core, []) { whole in
      let views = whole.map { $0.columns(0..<$0.columns - gap) }
      let clients = (0..<count).map { u in
        ClientFactors(a: views[u], b: views[count + u], core: u < core.count ? views[2 * count + u] : nil)
      }
      return try body(LayerUpdates(clients: clients, weights: weights))
    }
  }

  private func lend<Result>(
    _ matrices: [Matrix<Float>], _ views: [MatrixView<Float>], _ body: ([MatrixView<Float>]) throws -> Result
  ) throws -> Result {
    guard let first = matrices.first else { return try body(views) }
    return try first.withView { try lend(Array(matrices.dropFirst()), views + [$0], body) }
  }

  func aggregated(by rule: any AggregationRule, round: Int = 1) throws -> AggregatedLayer {
    try withUpdates { try rule.aggregate($0, round: round) }
  }

  /// The factors that `rule` freezes in a round, client 0's for all; cores of its own for each client where the
  /// rule trains them.
  func suited(to rule: any AggregationRule, round: Int = 1) -> Cohort {
    let trained = rule.wirePlan(round: round).trained
    var suited = self
    if !trained.contains(.a) { suited.a = a.map { _ in a[0] } }
    if !trained.contains(.b) { suited.b = b.map { _ in b[0] } }
    if trained.contains(.core) {
      var stream = stream(a.count, part: 12)
      suited.core = a.map { normalMatrix($0.rows, $0.rows, &stream) }
    }
    return suited
  }

  func diagnosed(_ layer: AggregatedLayer) throws -> LayerDiagnostics {
    try withUpdates { try diagnose($0, layer) }
  }
}

struct CohortShape: Sendable, CustomTestStringConvertible {
  var clients: Int
  var adapterRank: Int
  var outputs: Int
  var inputs: Int

  var testDescription: String { "U \(clients), r \(adapterRank), \(outputs)×\(inputs)" }

  /// Square, tall, wide, a dimension equal to the adapter rank, more stacked rows than either dimension,
  /// more clients than numbers in a factor.
  static let all = [
    CohortShape(clients: 3, adapterRank: 2, outputs: 12, inputs: 12),
    CohortShape(clients: 5, adapterRank: 3, outputs: 40, inputs: 17),
    CohortShape(clients: 4, adapterRank: 2, outputs: 9, inputs: 31),
    CohortShape(clients: 3, adapterRank: 4, outputs: 4, inputs: 15),
    CohortShape(clients: 3, adapterRank: 4, outputs: 15, inputs: 4),
    CohortShape(clients: 9, adapterRank: 3, outputs: 10, inputs: 14),
    CohortShape(clients: 6, adapterRank: 1, outputs: 7, inputs: 5),
    CohortShape(clients: 12, adapterRank: 1, outputs: 5, inputs: 6),
    CohortShape(clients: 40, adapterRank: 2, outputs: 8, inputs: 7),
    CohortShape(clients: 2, adapterRank: 8, outputs: 20, inputs: 30),
  ]
}

func stream(_ seed: Int, part: Int = 0) -> RandomStream {
  RandomStream(RandomKey(seed: UInt64(seed), purpose: .test, part: part))
}

func normalMatrix(_ rows: Int, _ columns: Int, _ stream: inout RandomStream) -> Matrix<Float> {
  Matrix(rows: rows, columns: columns, elements: (0..<rows * columns).map { _ in Float(stream.normal()) })
}

/// `base + scale · noise`, rounded to Float32 once.
func perturbed(_ base: Matrix<Float>, by scale: Double, _ stream: inout RandomStream) -> Matrix<Float> {
  var result = base
  for index in base.elements.indices {
    result.elements[index] = Float(Double(base.elements[index]) + scale * stream.normal())
  }
  return result
}

func randomWeights(_ count: Int, _ stream: inout RandomStream) -> [Double] {
  let parts = (0..<count).map { _ in 0.2 + stream.uniformDouble() }
  let sum = parts.reduce(0, +)
  return parts.map { $0 / sum }
}

extension Cohort {
  /// Clients whose factors differ by `spread` (standard deviation) from common factors of unit variance,
  /// with weights that are not uniform.
  init(_ shape: CohortShape, spread: Double, seed: Int) {
    var stream = stream(seed)
    let a = normalMatrix(shape.adapterRank, shape.inputs, &stream)
    let b = normalMatrix(shape.outputs, shape.adapterRank, &stream)
    self.a = (0..<shape.clients).map { _ in perturbed(a, by: spread, &stream) }
    self.b = (0..<shape.clients).map { _ in perturbed(b, by: spread, &stream) }
    weights = randomWeights(shape.clients, &stream)
  }

  /// Independent clients of these adapter ranks.
  init(adapterRanks: [Int], outputs: Int, inputs: Int, seed: Int) {
    var stream = stream(seed)
    a = adapterRanks.map { normalMatrix($0, inputs, &stream) }
    b = adapterRanks.map { normalMatrix(outputs, $0, &stream) }
    weights = randomWeights(adapterRanks.count, &stream)
  }

  /// With client `index` at zero.
  func withoutUpdate(of index: Int) -> Cohort {
    var cohort = self
    cohort.a[index].elements = a[index].elements.map { _ in 0 }
    cohort.b[index].elements = b[index].elements.map { _ in 0 }
    return cohort
  }

  /// `count` copies of client 0.
  func repeatingFirst() -> Cohort {
    Cohort(a: a.map { _ in a[0] }, b: b.map { _ in b[0] }, weights: weights)
  }
}
