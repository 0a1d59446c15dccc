import Adapters
import Testing

@testable import Transformer

@Suite struct OptimizerTests {
  @Test func linearScheduleWarmsUpAndFallsToZero() {
    let schedule = LearningRateSchedule(shape: .linear, peak: 1, warmUpSteps: 2, totalSteps: 10)
    #expect(
      (0...10).map { schedule.rate(atStep: $0) } == [
        0, 0.5, 1, 0.875, 0.75, 0.625, 0.5, 0.375, 0.25, 0.125, 0,
      ])
    #expect(schedule.rate(atStep: 12) == 0)
  }

  @Test func constantScheduleStaysAtItsPeak() {
    let schedule = LearningRateSchedule(shape: .constant, peak: 2, warmUpSteps: 0, totalSteps: 5)
    #expect((0..<9).allSatisfy { schedule.rate(atStep: $0) == 2 })
  }

  @Test func clippingShortensOnlyLongGradients() {
    var gradient: [Float] = [3, 4]
    let norm = gradient.withUnsafeMutableBufferPointer { clip($0, toNorm: 1) }
    #expect(norm == 5)
    #expect(abs(gradient[0] - 0.6) < 1e-6 && abs(gradient[1] - 0.8) < 1e-6)
    let before = gradient
    _ = gradient.withUnsafeMutableBufferPointer { clip($0, toNorm: 2) }
    #expect(gradient == before)
  }

  /// The first step of AdamW moves every parameter by the learning rate against the gradient's sign.
  @Test func firstStepOfAdamW() {
    var state = OptimizerState(count: 3)
    var parameters: [Float] = [1, 1, 1]
    state.step(
      .adamW(beta1: 0.9, beta2: 0.999, epsilon: 0, weightDecay: 0), learningRate: 0.5,
      on: FloatRanges([0..<3]), of: &parameters, gradient: [2, -0.001, 7])
    #expect(zip(parameters, [0.5, 1.5, 0.5]).allSatisfy { abs($0 - Float($1)) < 1e-5 })
    #expect(state.steps == 1)
  }

  @Test func whatIsNotChosenStays() {
    var state = OptimizerState(count: 3)
    var parameters: [Float] = [1, 1, 1]
    state.step(
      .adamW(beta1: 0.9, beta2: 0.999, epsilon: 0, weightDecay: 0.5), learningRate: 0.5,
      on: FloatRanges([1..<2]), of: &parameters, gradient: [2, 2, 2])
    #expect(parameters[0] == 1 && parameters[2] == 1 && parameters[1] != 1)
    #expect(state.first[0] == 0 && state.first[1] != 0)
  }

  @Test func momentumAccumulates() {
    var state = OptimizerState(count: 1)
    var parameters: [Float] = [0]
    for _ in 0..<2 {
      state.step(
        .sgd(momentum: 0.5, weightDecay: 0), learningRate: 1, on: FloatRanges([0..<1]),
        of: &parameters, gradient: [1])
    }
    #expect(parameters == [-2.5])
  }

  @Test func theArenaReusesItsMemory() {
    let arena = Arena()
    let first = arena.floats(1000)
    let mark = arena.mark
    let second = arena.floats(3_000_000)
    arena.release(to: mark)
    #expect(arena.floats(10) != first)
    let held = arena.byteCount
    for _ in 0..<5 {
      arena.reset()
      #expect(arena.floats(1000) == first)
      #expect(arena.floats(3_000_000) == second)
    }
    #expect(arena.byteCount == held)
    #expect(UInt(bitPattern: second) % 64 == 0)
  }
}
