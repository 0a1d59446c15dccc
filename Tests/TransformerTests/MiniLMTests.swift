import Adapters
import Foundation
import LinearAlgebra
import Safetensors
import Testing

@testable import Transformer

/// Parity of the real all-MiniLM-L6-v2 with PyTorch, transformers and PEFT.
@Suite(.enabled(if: Golden.hasMiniLM, "models/all-MiniLM-L6-v2 is not there: run scripts/run.sh first"))
struct MiniLMTests {
  private func model() throws -> AdaptedModel {
    try AdaptedModel(model: Golden.miniLM, adapter: Golden.folder + "/minilm/adapter", labels: 2)
  }

  @Test func hiddenStatesOfThreeSentencesInOneBatch() throws {
    let pretrained = try PretrainedModel(path: Golden.miniLM)
    defer { withExtendedLifetime(pretrained) {} }
    let layout = AdapterLayout(layers: [], head: pretrained.headTensors(labelCount: 2), headMode: .frozen)
    let encoder = try pretrained.bertEncoder(layout: layout)
    let batch = try LabelledBatch(Golden.file("minilm/sentences.safetensors")).batch
    let values = [Float](repeating: 0, count: layout.count)
    let memory = StepMemory()
    let hidden: Matrix<Float> = values.withUnsafeBufferPointer {
      Matrix(encoder.forward(batch, reading: nil, .inference($0.baseAddress!, memory: memory)).hidden)
    }
    let expected = try Golden.file("minilm/expected-base.safetensors")
    let (firsts, lasts) = (try expected.floatArray(named: "first"), try expected.floatArray(named: "last"))
    let norms = try expected.floatArray(named: "frobenius")
    for sequence in 0..<3 {
      let rows = batch.offsets[sequence]..<batch.offsets[sequence + 1]
      let columns = sequence * 384..<(sequence + 1) * 384
      #expect(relativeError(hidden.row(rows.lowerBound), Array(firsts[columns])) < 1e-5)
      #expect(relativeError(hidden.row(rows.upperBound - 1), Array(lasts[columns])) < 1e-5)
      let squares: [Double] = rows.flatMap { hidden.row($0) }.map { Double($0) * Double($0) }
      let norm = squares.reduce(0, +).squareRoot()
      #expect(abs(norm / Double(norms[sequence]) - 1) < 1e-5)
    }
    let whole = try expected.floatArray(named: "hidden.0")
    #expect(relativeError((0..<8).flatMap { hidden.row($0) }, whole) < 1e-5)
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

extension Matrix {
  fileprivate func row(_ index: Int) -> ArraySlice<Scalar> {
    elements[index * columns..<(index + 1) * columns]
  }
}
