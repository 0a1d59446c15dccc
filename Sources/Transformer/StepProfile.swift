public import LinearAlgebra

/// The kinds of work of a local step, as a profile tells them apart.
public enum Kernel: String, Sendable, CaseIterable {
  /// Products with frozen weights, and with the head's.
  case base
  /// Products of queries, keys, values and probabilities.
  case attention
  /// Products with the adapters' factors.
  case adapter
  /// The blocks' norms, activations, softmax, biases and dropout; embeddings.
  case elementwise
  /// Clipping and the optimiser's step.
  case optimizer
}

/// What passes spent their time with. A pass without one measures nothing.
public final class StepProfile {
  public private(set) var seconds: [Kernel: Double] = [:]
  /// How often every product was formed.
  public private(set) var products: [Kernel: [ProductShape: Int]] = [:]
  /// Whole steps, what is no kernel included.
  public private(set) var steps = 0
  public private(set) var stepSeconds = 0.0

  public init() {}

  /// Multiplications and additions of all products of a kind.
  public func operationCount(_ kernel: Kernel) -> Int {
    products[kernel, default: [:]].reduce(0) { $0 + $1.key.operationCount * $1.value }
  }

  fileprivate func add(_ seconds: Double, to kernel: Kernel) { self.seconds[kernel, default: 0] += seconds }

  fileprivate func addStep(_ seconds: Double) {
    steps += 1
    stepSeconds += seconds
  }

  func count(_ kernel: Kernel, _ shape: ProductShape) {
    products[kernel, default: [:]][shape, default: 0] += 1
  }
}

extension StepProfile? {
  /// Runs work and books its time under its kind, where there is a profile.
  func measure<Result>(_ kernel: Kernel, _ body: () -> Result) -> Result {
    timed(body) { $0.add($1, to: kernel) }
  }

  /// Runs a step and books it, where there is a profile.
  func measureStep<Result>(_ body: () -> Result) -> Result {
    timed(body) { $0.addStep($1) }
  }

  private func timed<Result>(_ body: () -> Result, _ book: (StepProfile, Double) -> Void) -> Result {
    guard let profile = self else { return body() }
    let start = ContinuousClock.now
    defer { book(profile, (ContinuousClock.now - start) / .seconds(1)) }
    return body()
  }
}

extension Pass {
  /// `target ← alpha · op(left) · op(right) + beta · target`, booked under its kind.
  func multiply(
    _ kernel: Kernel, _ left: MatrixView<Float>, _ leftOrientation: Orientation, _ right: MatrixView<Float>,
    _ rightOrientation: Orientation, into target: MutableMatrixView<Float>, alpha: Float = 1, beta: Float = 0
  ) {
    profile?.count(kernel, ProductShape(left, leftOrientation, right, rightOrientation))
    profile.measure(kernel) {
      LinearAlgebra.multiply(
        left, leftOrientation, right, rightOrientation, into: target, alpha: alpha, beta: beta)
    }
  }

  /// Runs work on elements, booked as such.
  func elementwise<Result>(_ body: () -> Result) -> Result { profile.measure(.elementwise, body) }
}
