import Adapters
import Foundation
import LinearAlgebra
import Randomness
import Safetensors
import TestSupport
import Testing

@testable import Transformer

/// Against PyTorch in double precision: two layers, every kind of adapter, four sequences of different
/// length (one of a single token, one as long as the model's positions).
@Suite struct TinyModelTests {
  private func model(_ adapter: String, headMode: HeadMode = .shared) throws -> AdaptedModel {
    try AdaptedModel(
      model: Golden.folder + "/tiny", adapter: Golden.folder + "/tiny/adapter-\(adapter)", labels: 3,
      headMode: headMode)
  }

  @Test(arguments: ["all", "query-value"], [true, false])
  func hiddenStates(adapter: String, keepingTape: Bool) throws {
    let input = try LabelledBatch(Golden.file("tiny/batch.safetensors"))
    let hidden = try model(adapter).hidden(input.batch, keepingTape: keepingTape)
    let expected = try Golden.file("tiny/expected-\(adapter).safetensors")
    for sequence in 0..<4 {
      let rows = input.batch.offsets[sequence]..<input.batch.offsets[sequence + 1]
      let found = rows.flatMap { row in (0..<32).map { hidden[row, $0] } }
      #expect(relativeError(found, try expected.floatArray(named: "hidden.\(sequence)")) < 1e-6)
    }
  }

  @Test(arguments: ["all", "query-value"]) func logits(adapter: String) throws {
    let input = try LabelledBatch(Golden.file("tiny/batch.safetensors"))
    let expected = try Golden.file("tiny/expected-\(adapter).safetensors")
    #expect(relativeError(try model(adapter).logits(input), try expected.floatArray(named: "logits")) < 1e-6)
  }

  @Test(arguments: ["all", "query-value"]) func lossAndGradients(adapter: String) throws {
    let model = try model(adapter)
    let expected = try Golden.file("tiny/expected-\(adapter).safetensors")
    let (loss, gradient) = try model.lossAndGradient(LabelledBatch(Golden.file("tiny/batch.safetensors")))
    let expectedLoss = Double(try expected.floatArray(named: "loss")[0])
    #expect(abs(loss / expectedLoss - 1) < 1e-6)
    for slot in model.layout.tensors {
      let golden = try expected.floatArray(named: "gradient.base_model.model." + slot.name)
      #expect(relativeError(gradient[slot], golden) < 1e-5, "\(slot.name)")
    }
  }

  @Test func aFrozenHeadGetsNoGradient() throws {
    let model = try model("all", headMode: .frozen)
    let (_, gradient) = try model.lossAndGradient(LabelledBatch(Golden.file("tiny/batch.safetensors")))
    for slot in model.layout.head { #expect(gradient[slot].allSatisfy { $0 == 0 }) }
    #expect(gradient[model.layout.layers[0].a].contains { $0 != 0 })
  }

  @Test(arguments: ["all", "query-value"], ["adamw", "sgd"])
  func tenSteps(adapter: String, optimizer: String) throws {
    let model = try model(adapter)
    let expected = try Golden.file("tiny/curves-\(adapter).safetensors")
    let isAdamW = optimizer == "adamw"
    let trainer = LocalTrainer(
      model: try model.classifier(),
      optimizer: isAdamW
        ? .adamW(beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01)
        : .sgd(momentum: 0.9, weightDecay: 0.01),
      clipNorm: 1, dropoutProbability: 0)
    let schedule = LearningRateSchedule(
      shape: .linear, peak: isAdamW ? 1e-3 : 0.05, warmUpSteps: 2, totalSteps: 10)
    var parameters = model.parameters
    let losses = try trainer.losses(
      of: Golden.file("tiny/training.safetensors"), batch: 4, schedule, &parameters)
    for (found, golden) in zip(losses, try expected.floatArray(named: "\(optimizer).losses")) {
      #expect(abs(found / Double(golden) - 1) < 1e-4)
    }
    for slot in model.layout.tensors {
      let golden = try expected.floatArray(named: "\(optimizer).final.base_model.model." + slot.name)
      #expect(relativeError(parameters[slot], golden) < 1e-4, "\(slot.name)")
    }
  }

  @Test func peftFilesKeepEveryValue() throws {
    let model = try model("all")
    try withTemporaryFolder { folder in
      try PEFTAdapter.write(model.parameters, model.configuration, to: folder + "/adapter")
      #expect(try PEFTConfiguration(folder: folder + "/adapter") == model.configuration)
      #expect(
        try PEFTAdapter.read(folder: folder + "/adapter", layout: model.layout) == model.parameters)
      let name = PEFTAdapter.weightsFileName
      let written = try Data(contentsOf: URL(filePath: "\(folder)/adapter/\(name)"))
      let theirs = try Data(contentsOf: URL(filePath: "\(Golden.folder)/tiny/adapter-all/\(name)"))
      #expect(written == theirs, "not the bytes that PEFT wrote")
    }
  }
}

extension LocalTrainer {
  /// The losses of ten steps on consecutive batches of a fixture's sequences.
  func losses(
    of file: SafetensorsFile, batch: Int, _ schedule: LearningRateSchedule,
    _ parameters: inout AdapterParameters
  ) throws -> [Double] {
    var state = OptimizerState(count: model.layout.count)
    return try (0..<10).map { index in
      let input = try LabelledBatch(file, rows: index * batch..<(index + 1) * batch)
      return step(
        input.batch, parameters: &parameters, state: &state,
        trained: model.layout.trainable, learningRate: schedule.rate(atStep: index),
        dropoutKey: RandomKey(seed: 1, purpose: .dropout, step: index))
    }
  }
}
