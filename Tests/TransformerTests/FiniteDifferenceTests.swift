import Adapters
import Randomness
import Testing

@testable import Transformer

/// Gradients against central differences of the loss along random directions, tensor by tensor.
@Suite struct FiniteDifferenceTests {
  private func input(_ encoder: Golden.Encoder) throws -> LabelledBatch {
    try LabelledBatch(encoder.file("batch"))
  }

  @Test(
    arguments: Golden.Encoder.all.filter { $0.adapter == "all" },
    [(Float(0), false), (0, true), (0.3, false), (0.3, true)])
  func everyTensor(encoder: Golden.Encoder, _ options: (dropoutProbability: Float, hasCores: Bool)) throws {
    let (dropoutProbability, hasCores) = options
    let (input, plain) = (try input(encoder), try encoder.adapted())
    let model = hasCores ? try plain.withCores(seed: 8) : plain
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
    let (input, model) = (try input(.all[0]), try Golden.Encoder.all[0].adapted())
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

  @Test(arguments: Golden.Encoder.all) func sequencesOfABatchDoNotSeeEachOther(encoder: Golden.Encoder) throws
  {
    let model = try encoder.adapted()
    let alone = try (0..<4).flatMap { row in
      try model.logits(LabelledBatch(encoder.file("batch"), rows: row..<row + 1))
    }
    #expect(relativeError(try model.logits(input(encoder)), alone) < 1e-6)
  }
}
