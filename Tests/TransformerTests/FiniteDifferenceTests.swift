import Adapters
import Randomness
import Testing

@testable import Transformer

/// Gradients against central differences of the loss along random directions, tensor by tensor.
@Suite struct FiniteDifferenceTests {
  private let input: LabelledBatch
  private let model: AdaptedModel

  init() throws {
    input = try LabelledBatch(Golden.file("tiny/batch.safetensors"))
    model = try AdaptedModel(
      model: Golden.folder + "/tiny", adapter: Golden.folder + "/tiny/adapter-all", labels: 3)
  }

  private func direction(_ slot: TensorSlot, part: Int) -> [Float] {
    var stream = RandomStream(RandomKey(seed: 5, purpose: .test, part: part))
    return slot.range.map { _ in Float(stream.normal()) / Float(slot.count).squareRoot() }
  }

  /// The loss's slope along `direction` in `slot`. The step is large for Float32's sake; the five-point
  /// formula keeps the error of the formula below that of the arithmetic.
  private func slope(
    _ model: AdaptedModel, _ slot: TensorSlot, _ direction: [Float], dropout: Dropout?
  ) throws -> Double {
    let step: Float = 0.04
    func loss(_ multiple: Float) throws -> Double {
      var moved = model.parameters
      for (index, d) in zip(slot.range, direction) { moved.values[index] += multiple * step * d }
      return try model.lossAndGradient(input, at: moved, dropout: dropout).loss
    }
    return try (8 * (loss(1) - loss(-1)) - (loss(2) - loss(-2))) / Double(12 * step)
  }

  @Test(arguments: [Float(0), 0.3], [false, true])
  func everyTensor(dropoutProbability: Float, hasCores: Bool) throws {
    let model = hasCores ? try model.withCores(seed: 8) : model
    let dropout = Dropout(
      probability: dropoutProbability, key: RandomKey(seed: 3, purpose: .dropout, client: 2))
    let (_, gradient) = try model.lossAndGradient(input, at: model.parameters, dropout: dropout)
    let trained = hasCores ? model.layout.layers.compactMap(\.core) + model.layout.head : model.layout.tensors
    for (part, slot) in trained.enumerated() {
      let direction = direction(slot, part: part)
      let expected = try slope(model, slot, direction, dropout: dropout)
      let found = zip(gradient[slot], direction).reduce(0) { $0 + Double($1.0) * Double($1.1) }
      let length = gradient[slot].reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
      // Relative to the whole gradient's length: a direction may happen to be nearly flat.
      #expect(abs(found - expected) < 2e-3 * length + 2e-6, "\(slot.name): \(found) for \(expected)")
    }
  }

  @Test func dropoutDependsOnItsKeyAlone() throws {
    func loss(_ client: Int, _ step: Int) throws -> Double {
      let key = RandomKey(seed: 3, purpose: .dropout, client: client, step: step)
      return try model.lossAndGradient(
        input, at: model.parameters, dropout: Dropout(probability: 0.3, key: key)
      ).loss
    }
    #expect(try loss(1, 1) == loss(1, 1))
    #expect(try loss(1, 1) != loss(2, 1))
    #expect(try loss(1, 1) != loss(1, 2))
  }

  @Test func sequencesOfABatchDoNotSeeEachOther() throws {
    let alone = try (0..<4).flatMap { row in
      try model.logits(LabelledBatch(Golden.file("tiny/batch.safetensors"), rows: row..<row + 1))
    }
    #expect(relativeError(try model.logits(input), alone) < 1e-6)
  }
}
