internal import Aggregation
internal import Foundation
internal import LinearAlgebra
public import Telemetry

/// Times the server's estimate of one layer alone, on one thread, beside the products that it is made of.
public struct EstimateBenchmark {
  /// The cohort that is made up: common factors plus `spread` times noise, all of unit variance.
  public struct Problem: Sendable {
    public var clients: Int
    public var outputs: Int
    public var inputs: Int
    public var adapterRank: Int
    public var spread: Double

    public init(clients: Int, outputs: Int, inputs: Int, adapterRank: Int, spread: Double) {
      self.clients = clients
      self.outputs = outputs
      self.inputs = inputs
      self.adapterRank = adapterRank
      self.spread = spread
    }
  }

  /// The product that the estimate's time is held against.
  public enum Yardstick: String, Sendable {
    /// Two Gram matrices of (clients + 1) · adapterRank rows, one rank-k update each.
    case gram
    /// The dense ideal update, one product of the stacked factors.
    case dense
  }

  /// What was measured.
  public struct Result: Sendable, JSONRepresentable {
    public let problem: Problem
    public let method: String
    public let yardstick: Yardstick
    /// Median seconds of an estimate, of the processor time of the calling thread.
    public let seconds: Double
    /// Median seconds of the yardstick's product alone, in Float32, measured in turns with the estimate.
    public let productSeconds: Double
    /// Floating-point operations of that product.
    public let productOperations: Double
    /// GFLOP/s of a 1024³ product in Float32, measured in the same run.
    public let peakGigaflopsPerSecond: Double
    /// What the first estimate added to the process's resident memory at its highest, in bytes.
    public let peakBytes: Int
    public let sweeps: Int?
    /// `‖W* − b a‖ / ‖W*‖` of the estimate, of the averages and of the best pair of the adapter's rank.
    public let rho: Double
    public let rhoFedIT: Double
    public let rhoOptimum: Double

    /// The product's operations in the time of the estimate; `nil` where the estimate does not multiply that.
    public var gigaflopsPerSecond: Double? {
      let isPart = method == FloraNA().name && yardstick == .gram
      return isPart ? productOperations / seconds * 1e-9 : nil
    }
    public var shareOfPeak: Double? { gigaflopsPerSecond.map { $0 / peakGigaflopsPerSecond } }
    public var ratio: Double { seconds / productSeconds }

    public var json: JSONValue {
      .object(omittingNil: [
        ("benchmark", .string("estimate")), ("method", .string(method)),
        ("clients", .integer(problem.clients)), ("outputs", .integer(problem.outputs)),
        ("inputs", .integer(problem.inputs)), ("adapterRank", .integer(problem.adapterRank)),
        ("spread", .number(problem.spread)), ("seconds", .number(seconds)),
        ("product", .string(yardstick.rawValue)), ("productSeconds", .number(productSeconds)),
        ("ratio", .number(ratio)), ("gigaflopsPerSecond", gigaflopsPerSecond.map { .number($0) }),
        ("shareOfPeak", shareOfPeak.map { .number($0) }), ("rho", .number(rho)),
        ("rhoFedIT", .number(rhoFedIT)), ("rhoOptimum", .number(rhoOptimum)),
        ("sweeps", sweeps.map { .integer($0) }), ("peakBytes", .integer(peakBytes)),
      ])
    }
  }

  private let problem: Problem
  private let rule: any AggregationRule
  /// clients · adapterRank × inputs: the `A_u`, one below the other.
  private let a: Matrix<Float>
  /// clients · outputs × adapterRank: the `B_u`, one below the other.
  private let b: Matrix<Float>

  /// Makes up the factors: a function of the problem alone. Throws where no rule has the name `method`.
  public init(_ problem: Problem, method: String) throws {
    self.problem = problem
    rule = try AggregationRules.rule(named: method)
    a = madeUpFactors(problem, rows: problem.adapterRank, columns: problem.inputs, part: 0)
    b = madeUpFactors(problem, rows: problem.outputs, columns: problem.adapterRank, part: 1)
  }

  /// One estimate to warm up, then `repeats` estimates in turns with the yardstick's product.
  public func run(repeats: Int) throws -> Result {
    try withUpdates { (updates) throws in
      let memory = PeakMemory()
      let layer = try rule.aggregate(updates)
      let peakBytes = memory.addedBytes
      let yardstick = Yardstick.of(problem)
      var product = YardstickProduct(problem, yardstick, a, b)
      let peak = peakRate()
      product.run()
      var times: (estimate: [Double], product: [Double]) = ([], [])
      for _ in 0..<repeats {
        times.product.append(seconds { product.run() })
        times.estimate.append(try seconds { _ = try rule.aggregate(updates) })
      }
      let diagnostics = try diagnose(updates, layer)
      return Result(
        problem: problem, method: rule.name, yardstick: yardstick, seconds: times.estimate.median,
        productSeconds: times.product.median, productOperations: product.operations,
        peakGigaflopsPerSecond: peak, peakBytes: peakBytes, sweeps: layer.sweeps,
        rho: diagnostics.rho,
        rhoFedIT: diagnostics.rhoFedIT, rhoOptimum: diagnostics.rhoOptimum)
    }
  }

  private func withUpdates<Value>(_ body: (LayerUpdates) throws -> Value) throws -> Value {
    let (outputs, r) = (problem.outputs, problem.adapterRank)
    return try a.withView { (a) throws in
      try b.withView { (b) throws in
        let clients = (0..<problem.clients).map { u in
          ClientFactors(a: a.rows(u * r..<(u + 1) * r), b: b.rows(u * outputs..<(u + 1) * outputs))
        }
        let weights = [Double](repeating: 1 / Double(problem.clients), count: problem.clients)
        return try body(LayerUpdates(clients: clients, weights: weights))
      }
    }
  }
}

extension EstimateBenchmark.Yardstick {
  fileprivate static func of(_ problem: EstimateBenchmark.Problem) -> Self {
    let isGram = FloraNA.formsGramMatrices(
      clients: problem.clients, adapterRank: problem.adapterRank,
      shape: LayerShape(outputs: problem.outputs, inputs: problem.inputs))
    return isGram ? .gram : .dense
  }
}

/// The yardstick's product with its operands and its target laid out beforehand.
private struct YardstickProduct {
  private let yardstick: EstimateBenchmark.Yardstick
  /// One more block than clients where that is what the estimate multiplies.
  private let left: Matrix<Float>
  private let right: Matrix<Float>
  private var target: Matrix<Float>

  init(
    _ problem: EstimateBenchmark.Problem, _ yardstick: EstimateBenchmark.Yardstick, _ a: Matrix<Float>,
    _ b: Matrix<Float>
  ) {
    self.yardstick = yardstick
    let extra = yardstick == .gram ? problem.adapterRank : 0
    right = stacked(a, moreRows: extra)
    let blocks = (0..<problem.clients).map { u in
      b.withView { Matrix<Float>(transposing: $0.rows(u * problem.outputs..<(u + 1) * problem.outputs)) }
    }
    let joined = Matrix(
      rows: problem.clients * problem.adapterRank, columns: problem.outputs,
      elements: blocks.flatMap(\.elements))
    left = stacked(joined, moreRows: extra)
    target =
      yardstick == .gram
      ? Matrix(rows: right.rows, columns: right.rows) : Matrix(rows: left.columns, columns: right.columns)
  }

  var operations: Double {
    let (n, d, k) = (Double(right.rows), Double(left.columns), Double(right.columns))
    return yardstick == .gram ? n * n * (d + k) : 2 * n * d * k
  }

  mutating func run() {
    target.withMutableView { target in
      left.withView { left in
        right.withView { right in
          switch yardstick {
          case .gram:
            Float.syrk(left, transposed: false, into: target, beta: 0)
            Float.syrk(right, transposed: false, into: target, beta: 0)
          case .dense: multiply(left, .transposed, right, .asStored, into: target)
          }
        }
      }
    }
  }
}

/// The matrix with its first rows once more at its end.
private func stacked(_ matrix: Matrix<Float>, moreRows count: Int) -> Matrix<Float> {
  Matrix(
    rows: matrix.rows + count, columns: matrix.columns,
    elements: matrix.elements + matrix.elements.prefix(count * matrix.columns))
}

/// Every client's factor: common numbers plus `spread` times its own, uniform, of unit variance. Number i is
/// the i-th of a SplitMix64 sequence, so that other programs make the same problem from the same formula.
private func madeUpFactors(
  _ problem: EstimateBenchmark.Problem, rows: Int, columns: Int, part: UInt64
) -> Matrix<Float> {
  let size = rows * columns
  let elements = [Float](unsafeUninitializedCapacity: problem.clients * size) { target, count in
    for client in 0..<problem.clients {
      for index in 0..<size {
        let common = uniform(part << 60 &+ UInt64(index))
        let own = uniform(part << 60 &+ UInt64((client + 1) * size + index))
        target[client * size + index] = Float(common + problem.spread * own)
      }
    }
    count = problem.clients * size
  }
  return Matrix(rows: problem.clients * rows, columns: columns, elements: elements)
}

/// Mean 0, variance 1.
private func uniform(_ counter: UInt64) -> Double {
  var mixed = (counter &+ 1) &* 0x9E37_79B9_7F4A_7C15
  mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
  mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
  let unit = Double((mixed ^ (mixed >> 31)) >> 11) * 0x1p-53
  return (2 * unit - 1) * 3.0.squareRoot()
}

/// GFLOP/s of the best of some 1024³ products in Float32.
private func peakRate() -> Double {
  let size = 1024
  let operand = Matrix<Float>(
    rows: size, columns: size, elements: (0..<size * size).map { Float($0 % 7) - 3 })
  let best = (0..<5).map { _ in seconds { _ = product(operand, .asStored, operand, .asStored) } }.min()!
  return 2e-9 * Double(size * size * size) / best
}

/// Seconds of this thread's processor time: what others run on a shared machine does not count.
private func seconds(_ body: () throws -> Void) rethrows -> Double {
  func now() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Double(time.tv_sec) + 1e-9 * Double(time.tv_nsec)
  }
  let start = now()
  try body()
  return now() - start
}
