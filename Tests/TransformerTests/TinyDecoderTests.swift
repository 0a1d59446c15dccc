import Adapters
import LinearAlgebra
import Randomness
import Safetensors
import Testing

@testable import Transformer

/// Against transformers and PEFT in double precision: two layers with grouped queries, an adapter on every
/// projection, four sequences of different length.
@Suite struct TinyDecoderTests {
  private let decoder: AdaptedDecoder
  private let input: TokenBatch
  private let expected: SafetensorsFile

  init() throws {
    decoder = try AdaptedDecoder("tiny-llama", adapter: "adapter")
    input = try TokenBatch(answersOf: Golden.file("tiny-llama/batch.safetensors"))
    expected = try Golden.file("tiny-llama/expected.safetensors")
  }

  @Test(arguments: [true, false]) func logits(keepingTape: Bool) throws {
    let found = try decoder.logits(input, keepingTape: keepingTape)
    for (sequence, logits) in found.enumerated() {
      #expect(relativeError(logits, try expected.floatArray(named: "logits.\(sequence)")) < 1e-6)
    }
  }

  @Test func aSequenceAloneHasTheSameBits() throws {
    let together = try decoder.logits(input, keepingTape: false)
    for (row, logits) in together.enumerated() {
      let alone = try TokenBatch(answersOf: Golden.file("tiny-llama/batch.safetensors"), rows: row..<row + 1)
      #expect(try decoder.logits(alone, keepingTape: false)[0] == logits)
    }
  }

  @Test func withoutAnAdapter() throws {
    let base = try AdaptedDecoder("tiny-llama")
    let expected = try Golden.file("tiny-llama/expected-base.safetensors")
    let short = try TokenBatch(answersOf: Golden.file("tiny-llama/batch.safetensors"), rows: 0..<1)
    let golden = try expected.floatArray(named: "logits.0")
    #expect(relativeError(try base.logits(short, keepingTape: false)[0], golden) < 1e-6)
    let loss = Double(try expected.floatArray(named: "loss")[0])
    #expect(try abs(base.lossAndGradient(short).loss / loss - 1) < 1e-6)
  }

  @Test func lossAndGradients() throws {
    let (loss, gradient) = try decoder.lossAndGradient(input)
    #expect(try abs(loss / Double(expected.floatArray(named: "loss")[0]) - 1) < 1e-6)
    for slot in decoder.layout.tensors {
      let golden = try expected.floatArray(named: "gradient.base_model.model." + slot.name)
      #expect(relativeError(gradient[slot], golden) < 1e-5, "\(slot.name)")
    }
  }

  @Test func lossesOfAnswersAddUp() throws {
    let losses = try decoder.answerLosses(input)
    #expect(losses.map(\.tokens) == [5, 11, 1, 1])
    let mean = losses.reduce(0) { $0 + $1.sum } / Double(losses.reduce(0) { $0 + $1.tokens })
    #expect(try abs(mean / Double(expected.floatArray(named: "loss")[0]) - 1) < 1e-6)
  }

  /// A sequence without an answer and one whose answer begins at its first token, which nothing predicts.
  @Test func whatIsNotAskedForAddsNothing() throws {
    let batch = TokenBatch(
      tokens: [3, 4, 5, 6, 7, 8], offsets: [0, 3, 6], targets: .answers(promptLengths: [3, 0]))
    let losses = try decoder.answerLosses(batch)
    #expect(losses.map(\.tokens) == [0, 2] && losses[0].sum == 0)
    let alone = TokenBatch(tokens: [6, 7, 8], offsets: [0, 3], targets: .answers(promptLengths: [1]))
    #expect(abs(try decoder.answerLosses(alone)[0].sum / losses[1].sum - 1) < 1e-6)
    let nothing = TokenBatch(tokens: [3, 4], offsets: [0, 2], targets: .answers(promptLengths: [2]))
    let (loss, gradient) = try decoder.lossAndGradient(nothing)
    #expect(loss == 0 && gradient.values.allSatisfy { $0 == 0 })
  }

  @Test func tenSteps() throws {
    let golden = try Golden.file("tiny-llama/curve.safetensors")
    let trainer = LocalTrainer(
      model: try decoder.model(),
      optimizer: .adamW(beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01), clipNorm: 1,
      dropoutProbability: 0)
    let schedule = LearningRateSchedule(shape: .linear, peak: 1e-3, warmUpSteps: 2, totalSteps: 10)
    let training = try Golden.file("tiny-llama/training.safetensors")
    var parameters = decoder.parameters
    var state = OptimizerState(count: decoder.layout.count)
    for (index, expected) in try golden.floatArray(named: "adamw.losses").enumerated() {
      let loss = trainer.step(
        try TokenBatch(answersOf: training, rows: index * 4..<(index + 1) * 4), parameters: &parameters,
        state: &state, trained: decoder.layout.trainable, learningRate: schedule.rate(atStep: index),
        dropoutKey: RandomKey(seed: 1, purpose: .dropout, step: index))
      #expect(abs(loss / Double(expected) - 1) < 1e-4)
    }
    for slot in decoder.layout.tensors {
      let expected = try golden.floatArray(named: "adamw.final.base_model.model." + slot.name)
      #expect(relativeError(parameters[slot], expected) < 1e-4, "\(slot.name)")
    }
  }

  /// Below the lowest adapted layer nothing is computed, whichever it is: the gradients are those of the whole.
  @Test(arguments: [
    "q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj", "1.self_attn.q_proj",
    "1.self_attn.v_proj", "1.self_attn.o_proj", "1.mlp.up_proj", "1.mlp.down_proj",
  ])
  func gradientsOfOneLayer(target: String) throws {
    let some = try decoder.with(targets: [target])
    let all = try decoder.silencing { !$0.isNamed(by: target) }
    let (loss, gradient) = try some.lossAndGradient(input)
    let (wholeLoss, whole) = try all.lossAndGradient(input)
    #expect(abs(loss / wholeLoss - 1) < 1e-6)
    for slot in some.layout.layers {
      let other = try #require(all.layout[slot.layer.name])
      #expect(relativeError(gradient[slot.a], Array(whole[other.a])) < 1e-5, "\(slot.layer.name)")
      #expect(relativeError(gradient[slot.b], Array(whole[other.b])) < 1e-5, "\(slot.layer.name)")
    }
  }
}

/// Other architectures that are built like LLaMA, stored otherwise.
@Suite struct RelatedDecoderTests {
  @Test(arguments: ["tiny-qwen2", "tiny-mistral"]) func logits(model: String) throws {
    let decoder = try AdaptedDecoder(model)
    let expected = try Golden.file("\(model)/expected.safetensors")
    let batch = try TokenBatch(answersOf: Golden.file("\(model)/batch.safetensors"))
    for (sequence, logits) in try decoder.logits(batch, keepingTape: false).enumerated() {
      #expect(relativeError(logits, try expected.floatArray(named: "logits.\(sequence)")) < 1e-6)
    }
  }

  @Test func lossOfShardsAndBiases() throws {
    let batch = try TokenBatch(answersOf: Golden.file("tiny-qwen2/batch.safetensors"))
    let loss = Double(try Golden.file("tiny-qwen2/expected.safetensors").floatArray(named: "loss")[0])
    #expect(try abs(AdaptedDecoder("tiny-qwen2").lossAndGradient(batch).loss / loss - 1) < 1e-6)
  }
}

/// Continuations, token for token.
@Suite struct GenerationTests {
  @Test(arguments: [("tiny-llama", "adapter", 21), ("tiny-qwen2", nil, 5)] as [(String, String?, Int32)])
  func greedy(model: String, adapter: String?, stop: Int32) throws {
    let decoder = try AdaptedDecoder(model, adapter: adapter)
    let prompts = try TokenBatch(answersOf: Golden.file("\(model)/batch.safetensors")).prompts
    let expected = try Golden.sequences("\(model)/greedy.safetensors")
    #expect(try decoder.generate(prompts, limit: 12, stop: [stop]) == expected)
    // Alone, in another order, and beside copies of itself.
    for (prompt, continuation) in zip(prompts, expected) {
      #expect(try decoder.generate([prompt], limit: 12, stop: [stop]) == [continuation])
      #expect(
        try decoder.generate([prompt, prompt], limit: 12, stop: [stop]) == [continuation, continuation])
    }
    #expect(
      try decoder.generate(prompts.reversed(), limit: 12, stop: [stop]) == Array(expected.reversed()))
  }

  @Test func endsWithThePositionsOrTheLimit() throws {
    let decoder = try AdaptedDecoder("tiny-llama", adapter: "adapter")
    let long = (0..<60).map { Int32($0 % 97) }
    let full = (0..<64).map { Int32($0 % 97) }
    let found = try decoder.generate([long, full, [1]], limit: 9, stop: [])
    #expect(found.map(\.count) == [4, 0, 9])
    #expect(try decoder.generate([long], limit: 0, stop: []) == [[]])
    #expect(try decoder.generate([], limit: 9, stop: []) == [])
  }

  /// What the cache gives is what computing all anew gives.
  @Test func followsTheLogits() throws {
    let decoder = try AdaptedDecoder("tiny-llama", adapter: "adapter")
    var tokens: [Int32] = [5, 17, 2]
    for token in try decoder.generate([tokens], limit: 20, stop: [])[0] {
      let batch = TokenBatch(tokens: tokens, offsets: [0, tokens.count])
      let last = try decoder.logits(batch, keepingTape: false)[0].suffix(97)
      #expect(Int(token) == last.indices.max { last[$0] < last[$1] }! - last.startIndex)
      tokens.append(token)
    }
  }
}
