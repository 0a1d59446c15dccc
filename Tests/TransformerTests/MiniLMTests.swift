import Adapters
import Foundation
import LinearAlgebra
import Safetensors
import Testing

@testable import Transformer

/// Parity of the real all-MiniLM-L6-v2 with PyTorch, transformers and PEFT.
@Suite(
  .enabled(
    if: Golden.hasWeights(Golden.miniLM), "models/all-MiniLM-L6-v2 is not there: run scripts/run.sh first"))
struct MiniLMTests {
  private func model() throws -> AdaptedModel {
    try AdaptedModel(model: Golden.miniLM, adapter: Golden.folder + "/minilm/adapter", labels: 2)
  }

  @Test func hiddenStatesOfThreeSentencesInOneBatch() throws {
    try expectHiddenStates(of: Golden.miniLM, in: "minilm")
  }

  @Test func lossAndEveryGradient() throws {
    let model = try model()
    let input = try LabelledBatch(Golden.file("minilm/training.safetensors"), rows: 0..<8)
    let expected = try Golden.file("minilm/expected.safetensors")
    #expect(relativeError(try model.logits(input), try expected.floatArray(named: "logits")) < 1e-4)
    let (loss, gradient) = try model.lossAndGradient(input)
    #expect(abs(loss / Double(try expected.floatArray(named: "loss")[0]) - 1) < 1e-5)
    for slot in model.layout.tensors {
      let golden = try expected.floatArray(named: "gradient.base_model.model." + slot.name)
      let error = relativeError(gradient[slot], golden)
      #expect(error < 1e-4, "\(slot.name)")
    }
  }

  @Test func lossCurveOfTenAdamWSteps() throws {
    let model = try model()
    let trainer = LocalTrainer(
      model: try model.classifier(),
      optimizer: .adamW(beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01),
      clipNorm: nil, dropoutProbability: 0)
    var parameters = model.parameters
    let losses = try trainer.losses(
      of: Golden.file("minilm/training.safetensors"), batch: 8,
      LearningRateSchedule(shape: .constant, peak: 2e-3, warmUpSteps: 0, totalSteps: 10), &parameters)
    let golden = try Golden.file("minilm/curve.safetensors").floatArray(named: "adamw.losses")
    for (found, expected) in zip(losses, golden) { #expect(abs(found / Double(expected) - 1) < 1e-3) }
  }
}
