import Adapters
import LinearAlgebra
import Randomness
import Testing

@testable import Transformer

/// A decoder's gradients against central differences of the loss along random directions, tensor by tensor.
@Suite struct DecoderDifferenceTests {
  private let input: TokenBatch
  private let decoder: AdaptedDecoder

  init() throws {
    input = try TokenBatch(answersOf: Golden.file("tiny-llama/batch.safetensors"))
    decoder = try AdaptedDecoder("tiny-llama", adapter: "adapter")
  }

  @Test(arguments: [Float(0), 0.3]) func everyTensor(dropoutProbability: Float) throws {
    let dropout = Dropout(
      probability: dropoutProbability, key: RandomKey(seed: 3, purpose: .dropout, client: 2))
    let (_, gradient) = try decoder.lossAndGradient(input, dropout: dropout)
    for (part, slot) in decoder.layout.tensors.enumerated() {
      try expectSlope(of: slot, in: gradient, at: decoder.parameters, part: part) {
        try decoder.lossAndGradient(input, at: $0, dropout: dropout).loss
      }
    }
  }
}
