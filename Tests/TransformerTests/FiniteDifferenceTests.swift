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

  @Test(arguments: [Float(0), 0.3], [false, true])
  func everyTensor(dropoutProbability: Float, hasCores: Bool) throws {
    let model = hasCores ? try model.withCores(seed: 8) : model
    let dropout = Dropout(
      probability: dropoutProbability, key: RandomKey(seed: 3, purpose: .dropout, client: 2))
    let (_, gradient) = try model.lossAndGradient(input, at: model.parameters, dropout: dropout)
    let trained = hasCores ? model.layout.layers.compactMap(\.core) + model.layout.head : model.layout.tensors
    for (part, slot) in trained.enumerated() {
      try expectSlope(of: slot, in: gradient, at: model.parameters, part: part) {
        try model.lossAndGradient(input, at: $0, dropout: dropout).loss
      }
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
