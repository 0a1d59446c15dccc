import Foundation
import LinearAlgebra
import Safetensors
import Testing

@testable import Transformer

/// Parity of the real SmolLM2-135M-Instruct with transformers.
@Suite(
  .enabled(
    if: FileManager.default.fileExists(atPath: smolLM2 + "/model.safetensors"),
    "models/SmolLM2-135M-Instruct is not there: scripts/fetch_model.py fetches it"))
struct SmolLM2Tests {
  private let decoder: AdaptedDecoder

  init() throws { decoder = try AdaptedDecoder(path: smolLM2) }

  @Test func nextTokenOfASentence() throws {
    let sentence = try TokenBatch(sequencesOf: Golden.file("smollm2/sentence.safetensors"))
    let expected = try Golden.file("smollm2/expected-sentence.safetensors")
    let hidden = try decoder.hidden(sentence)
    #expect(relativeError(hidden.suffix(576), try expected.floatArray(named: "hidden")) < 1e-5)
    let logits = Array(try decoder.logits(sentence, keepingTape: false)[0].suffix(49152))
    let best = try expected.integers(named: "top.tokens", as: Int32.self).map(Int.init)
    #expect(logits.indices.sorted { logits[$0] > logits[$1] }.prefix(best.count).elementsEqual(best))
    #expect(relativeError(best.map { logits[$0] }, try expected.floatArray(named: "top.logits")) < 1e-5)
  }

  @Test func lossOfTwoAnswers() throws {
    let batch = try TokenBatch(answersOf: Golden.file("smollm2/batch.safetensors"))
    let expected = Double(try Golden.file("smollm2/expected.safetensors").floatArray(named: "loss")[0])
    let losses = try decoder.answerLosses(batch)
    let mean = losses.reduce(0) { $0 + $1.sum } / Double(losses.reduce(0) { $0 + $1.tokens })
    #expect(abs(mean / expected - 1) < 1e-5)
  }

  @Test func greedyContinuations() throws {
    let prompts = try TokenBatch(answersOf: Golden.file("smollm2/batch.safetensors")).prompts
    let expected = try Golden.sequences("smollm2/greedy.safetensors")
    #expect(try decoder.generate(prompts, limit: 24, stop: [2]) == expected)
  }
}

private let smolLM2 = Golden.root + "/models/SmolLM2-135M-Instruct"
