public import Adapters
internal import CKernels
internal import Foundation

/// How parameters follow their gradient.
public enum Optimizer: Sendable, Equatable {
  /// AdamW with PyTorch's conventions.
  case adamW(beta1: Float, beta2: Float, epsilon: Float, weightDecay: Float)
  /// Stochastic gradient descent with PyTorch's momentum (no dampening, not Nesterov's).
  case sgd(momentum: Float, weightDecay: Float)
}

/// What an optimiser remembers between steps: for each of an adapter's floats, whether it is trained or not.
public struct OptimizerState: Sendable, Equatable {
  /// Running mean of gradients (AdamW) or velocity (SGD).
  public private(set) var first: [Float]
  /// Running mean of squared gradients (AdamW).
  public private(set) var second: [Float]
  /// Steps taken.
  public private(set) var steps = 0

  public init(count: Int) {
    first = [Float](repeating: 0, count: count)
    second = first
  }

  /// Forgets all steps, in place.
  public mutating func restart() {
    first.withUnsafeMutableBufferPointer { $0.update(repeating: 0) }
    second.withUnsafeMutableBufferPointer { $0.update(repeating: 0) }
    steps = 0
  }

  /// A state as it was after `steps` steps.
  public init(first: [Float], second: [Float], steps: Int) {
    precondition(first.count == second.count && steps >= 0, "\(first.count) and \(second.count) moments")
    self.first = first
    self.second = second
    self.steps = steps
  }

  /// One step on the chosen floats; the others stay as they are. Both buffers have this state's size.
  public mutating func step(
    _ optimizer: Optimizer, learningRate: Float, on chosen: FloatRanges,
    of parameters: UnsafeMutablePointer<Float>, gradient: UnsafePointer<Float>
  ) {
    precondition((chosen.ranges.last?.upperBound ?? 0) <= first.count, "floats beyond the optimiser's state")
    steps += 1
    first.withUnsafeMutableBufferPointer { first in
      second.withUnsafeMutableBufferPointer { second in
        for range in chosen.ranges {
          let start = range.lowerBound
          Self.step(
            optimizer, learningRate, steps, parameters + start, gradient + start,
            first.baseAddress! + start, second.baseAddress! + start, range.count)
        }
      }
    }
  }

  private static func step(
    _ optimizer: Optimizer, _ learningRate: Float, _ steps: Int, _ parameters: UnsafeMutablePointer<Float>,
    _ gradient: UnsafePointer<Float>, _ first: UnsafeMutablePointer<Float>,
    _ second: UnsafeMutablePointer<Float>, _ count: Int
  ) {
    switch optimizer {
    case .adamW(let beta1, let beta2, let epsilon, let weightDecay):
      var options = fk_adamw(
        learningRate: learningRate, beta1: beta1, beta2: beta2, epsilon: epsilon, weightDecay: weightDecay,
        correction1: biasCorrection(beta1, steps), correction2: biasCorrection(beta2, steps))
      fk_adamw_step(parameters, gradient, first, second, count, &options)
    case .sgd(let momentum, let weightDecay):
      fk_sgd_step(parameters, gradient, first, count, learningRate, momentum, weightDecay)
    }
  }

  /// `1 − βˢ` for the present step s.
  private static func biasCorrection(_ beta: Float, _ steps: Int) -> Float {
    Float(1 - pow(Double(beta), Double(steps)))
  }
}

/// Scales a gradient down to a Euclidean norm of `limit` if it is longer; returns its norm.
///
/// As PyTorch's `clip_grad_norm_`: the factor is `limit / (norm + 1e-6)`, never above 1.
public func clip(_ gradient: UnsafeMutableBufferPointer<Float>, toNorm limit: Float) -> Double {
  guard let base = gradient.baseAddress else { return 0 }
  let norm = fk_sum_of_squares(base, gradient.count).squareRoot()
  let factor = Float(Double(limit) / (norm + 1e-6))
  guard factor < 1 else { return norm }
  for index in gradient.indices { gradient[index] *= factor }
  return norm
}
