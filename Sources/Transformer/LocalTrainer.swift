public import Adapters
public import Randomness

/// One client's local training: loss, gradient, clipping and optimiser on buffers that are reused from
/// step to step and from client to client.
public final class LocalTrainer {
  public let model: any TrainableModel
  public let optimizer: Optimizer
  /// The norm to clip the gradient to; nil does not clip.
  public let clipNorm: Float?
  public let dropoutProbability: Float
  /// What the steps spend their time with, where it is wanted.
  public var profile: StepProfile?
  private let memory: StepMemory
  private var gradient: [Float]

  /// Bytes of activations that are held for the next step, whether handed out or not.
  public var activationByteCount: Int { memory.byteCount }

  public init(
    model: any TrainableModel, optimizer: Optimizer, clipNorm: Float?, dropoutProbability: Float,
    memory: StepMemory = StepMemory()
  ) {
    self.model = model
    self.optimizer = optimizer
    self.clipNorm = clipNorm
    self.dropoutProbability = dropoutProbability
    self.memory = memory
    gradient = [Float](repeating: 0, count: model.layout.count)
  }

  /// One step on one batch; returns the loss before the step.
  ///
  /// `trained` is what the step moves; the norm that is clipped is that of its gradient. `base` holds the
  /// base weights of the adapted layers where they differ from the checkpoint's. `dropoutKey` names client,
  /// round and step, so that the numbers dropped depend on nothing else.
  public func step(
    _ batch: TokenBatch, parameters: inout AdapterParameters, state: inout OptimizerState,
    trained: FloatRanges, base: BaseWeights? = nil, learningRate: Float, dropoutKey: RandomKey
  ) -> Double {
    precondition(parameters.layout == model.layout, "parameters of another layout")
    let dropout = Dropout(probability: dropoutProbability, key: dropoutKey)
    return profile.measureStep {
      memory.reset()
      let loss = withGradient(batch, parameters, base, dropout)
      profile.measure(.optimizer) { descend(&parameters, &state, trained, learningRate: learningRate) }
      return loss
    }
  }

  private func descend(
    _ parameters: inout AdapterParameters, _ state: inout OptimizerState, _ trained: FloatRanges,
    learningRate: Float
  ) {
    gradient.withUnsafeMutableBufferPointer { gradient in
      clear(gradient, except: trained)
      if let clipNorm { _ = clip(gradient, toNorm: clipNorm) }
      parameters.values.withUnsafeMutableBufferPointer { values in
        state.step(
          optimizer, learningRate: learningRate, on: trained, of: values.baseAddress!,
          gradient: gradient.baseAddress!)
      }
    }
  }

  /// The loss of a batch; its gradient is left in `gradient`.
  private func withGradient(
    _ batch: TokenBatch, _ parameters: AdapterParameters, _ base: BaseWeights?, _ dropout: Dropout?
  ) -> Double {
    gradient.withUnsafeMutableBufferPointer { gradient in
      gradient.update(repeating: 0)
      return parameters.values.withUnsafeBufferPointer { values in
        withPointer(to: base) { base in
          model.addGradient(
            batch,
            .training(
              values.baseAddress!, gradient: gradient.baseAddress!, base: base, dropout: dropout,
              memory: memory, profile: profile))
        }
      }
    }
  }

  /// A norm over the whole buffer is then that of what is trained.
  private func clear(_ gradient: UnsafeMutableBufferPointer<Float>, except trained: FloatRanges) {
    for range in FloatRanges([0..<gradient.count]).subtracting(trained).ranges {
      UnsafeMutableBufferPointer(rebasing: gradient[range]).update(repeating: 0)
    }
  }
}
