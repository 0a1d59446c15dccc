public import Adapters
public import Randomness

/// One client's local training: loss, gradient, clipping and optimiser on buffers that are reused from
/// step to step and from client to client.
public final class LocalTrainer {
  public let model: any ClassificationModel
  public let optimizer: Optimizer
  /// The norm to clip the gradient to; nil does not clip.
  public let clipNorm: Float?
  public let dropoutProbability: Float
  private let arena: Arena
  private var gradient: [Float]

  public init(
    model: any ClassificationModel, optimizer: Optimizer, clipNorm: Float?, dropoutProbability: Float,
    arena: Arena = Arena()
  ) {
    self.model = model
    self.optimizer = optimizer
    self.clipNorm = clipNorm
    self.dropoutProbability = dropoutProbability
    self.arena = arena
    gradient = [Float](repeating: 0, count: model.layout.count)
  }

  /// One step on one batch; returns the loss before the step.
  ///
  /// `dropoutKey` names client, round and step, so that the numbers dropped depend on nothing else.
  public func step(
    _ batch: TokenBatch, labels: [Int32], parameters: inout AdapterParameters, state: inout OptimizerState,
    learningRate: Float, dropoutKey: RandomKey
  ) -> Double {
    precondition(parameters.layout == model.layout, "parameters of another layout")
    let dropout = Dropout(probability: dropoutProbability, key: dropoutKey)
    let trained = model.layout.trainedCount
    arena.reset()
    return gradient.withUnsafeMutableBufferPointer { gradient in
      gradient.update(repeating: 0)
      return parameters.values.withUnsafeMutableBufferPointer { values in
        let pass = Pass.training(
          values.baseAddress!, gradient: gradient.baseAddress!, dropout: dropout, arena: arena)
        let loss = model.addGradient(batch, labels: labels, pass)
        if let clipNorm {
          _ = clip(UnsafeMutableBufferPointer(rebasing: gradient[..<trained]), toNorm: clipNorm)
        }
        state.step(
          optimizer, learningRate: learningRate, parameters: values.baseAddress!,
          gradient: gradient.baseAddress!)
        return loss
      }
    }
  }
}
