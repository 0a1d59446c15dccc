import Adapters
import Foundation
import LinearAlgebra
import Randomness
import Safetensors
import TestSupport
import Testing

@testable import Transformer

/// Against PyTorch in double precision: two layers of every kind of encoder, every kind of adapter, four sequences of
/// different length (one of a single token, one as long as the model's positions or nearly so).
@Suite struct TinyModelTests {
  @Test(arguments: Golden.Encoder.all, [true, false])
  func hiddenStates(encoder: Golden.Encoder, keepingTape: Bool) throws {
    let input = try LabelledBatch(encoder.file("batch"))
    let hidden = try encoder.adapted().hidden(input.batch, keepingTape: keepingTape)
    let expected = try encoder.file("expected-\(encoder.adapter)")
    for sequence in 0..<4 {
      let rows = input.batch.offsets[sequence]..<input.batch.offsets[sequence + 1]
      let found = rows.flatMap { hidden.row($0) }
      #expect(relativeError(found, try expected.floatArray(named: "hidden.\(sequence)")) < 1e-6)
    }
  }

  /// What is read of the last block, wherever it stands in its sequence, is what a whole block gives.
  @Test(arguments: Golden.Encoder.all) func hiddenStatesOfSomeTokens(encoder: Golden.Encoder) throws {
    let batch = try LabelledBatch(encoder.file("batch")).batch
    let starts = batch.offsets
    let reading = ReadTokens(
      tokens: [2, 6, starts[1] + 1, starts[1] + 38, starts[2], starts[4] - 1], offsets: [0, 2, 4, 5, 6])
    let model = try encoder.adapted()
    let whole = try model.hidden(batch, keepingTape: false)
    let found = try model.hidden(batch, reading: reading, keepingTape: true)
    for (row, token) in reading.tokens.enumerated() {
      #expect(relativeError(found.row(row), Array(whole.row(token))) < 1e-6)
    }
  }

  @Test(arguments: Golden.Encoder.all) func logits(encoder: Golden.Encoder) throws {
    let input = try LabelledBatch(encoder.file("batch"))
    let expected = try encoder.file("expected-\(encoder.adapter)").floatArray(named: "logits")
    #expect(relativeError(try encoder.adapted().logits(input), expected) < 1e-6)
  }

  @Test(arguments: Golden.Encoder.all) func lossAndGradients(encoder: Golden.Encoder) throws {
    let model = try encoder.adapted()
    let expected = try encoder.file("expected-\(encoder.adapter)")
    let (loss, gradient) = try model.lossAndGradient(LabelledBatch(encoder.file("batch")))
    let expectedLoss = Double(try expected.floatArray(named: "loss")[0])
    #expect(abs(loss / expectedLoss - 1) < 1e-6)
    for slot in model.layout.tensors {
      let golden = try expected.floatArray(named: "gradient.base_model.model." + slot.name)
      #expect(relativeError(gradient[slot], golden) < 1e-5, "\(slot.name)")
    }
  }

  @Test(arguments: Golden.Encoder.all) func aFrozenHeadGetsNoGradient(encoder: Golden.Encoder) throws {
    let model = try encoder.adapted(headMode: .frozen)
    let (_, gradient) = try model.lossAndGradient(LabelledBatch(encoder.file("batch")))
    for slot in model.layout.head { #expect(gradient[slot].allSatisfy { $0 == 0 }) }
    #expect(gradient[model.layout.layers[0].a].contains { $0 != 0 })
  }

  @Test(arguments: Golden.Encoder.all, ["adamw", "sgd"])
  func tenSteps(encoder: Golden.Encoder, optimizer: String) throws {
    let model = try encoder.adapted()
    let expected = try encoder.file("curves-\(encoder.adapter)")
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
      of: encoder.file("training"), batch: 4, schedule, &parameters)
    for (found, golden) in zip(losses, try expected.floatArray(named: "\(optimizer).losses")) {
      #expect(abs(found / Double(golden) - 1) < 1e-4)
    }
    for slot in model.layout.tensors {
      let golden = try expected.floatArray(named: "\(optimizer).final.base_model.model." + slot.name)
      #expect(relativeError(parameters[slot], golden) < 1e-4, "\(slot.name)")
    }
  }

  @Test(arguments: Golden.Encoder.all) func peftFilesKeepEveryValue(encoder: Golden.Encoder) throws {
    let model = try encoder.adapted()
    try withTemporaryFolder { folder in
      try PEFTAdapter.write(model.parameters, model.configuration, to: folder + "/adapter")
      #expect(try PEFTConfiguration(folder: folder + "/adapter") == model.configuration)
      #expect(
        try PEFTAdapter.read(folder: folder + "/adapter", layout: model.layout) == model.parameters)
      let name = PEFTAdapter.weightsFileName
      let written = try Data(contentsOf: URL(filePath: "\(folder)/adapter/\(name)"))
      let theirs = try Data(
        contentsOf: URL(filePath: "\(Golden.folder)/\(encoder.model)/adapter-\(encoder.adapter)/\(name)"))
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
