/// The learning rate by step, as transformers' schedulers compute it: a linear warm-up to the peak, then
/// constant or linear to zero at the last step.
public struct LearningRateSchedule: Sendable, Equatable {
  public enum Shape: String, Sendable, CaseIterable {
    case constant
    case linear
  }

  public let shape: Shape
  public let peak: Float
  public let warmUpSteps: Int
  /// Steps of the whole run; only the linear shape needs them.
  public let totalSteps: Int

  public init(shape: Shape, peak: Float, warmUpSteps: Int, totalSteps: Int) {
    self.shape = shape
    self.peak = peak
    self.warmUpSteps = warmUpSteps
    self.totalSteps = totalSteps
  }

  /// The learning rate of step `step`, counted from 0.
  public func rate(atStep step: Int) -> Float {
    if step < warmUpSteps { return peak * Float(step) / Float(max(1, warmUpSteps)) }
    guard shape == .linear else { return peak }
    return peak * Float(max(0, totalSteps - step)) / Float(max(1, totalSteps - warmUpSteps))
  }
}
