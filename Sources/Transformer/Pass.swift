public import Randomness

/// What one forward and backward pass over a batch works with.
public struct Pass {
  /// The adapter's values, in the order of its layout.
  let parameters: UnsafePointer<Float>
  /// The gradient of the adapter's values, added to; nil where only the forward pass is wanted.
  let gradient: UnsafeMutablePointer<Float>?
  /// The base weights of the adapted layers; nil where they are the checkpoint's.
  let base: UnsafePointer<Float>?
  /// Nil switches dropout off.
  let dropout: Dropout?
  let memory: StepMemory
  /// Nil measures nothing.
  let profile: StepProfile?

  /// A pass that trains: adds the gradient of every adapted tensor to `gradient`.
  public static func training(
    _ parameters: UnsafePointer<Float>, gradient: UnsafeMutablePointer<Float>,
    base: UnsafePointer<Float>? = nil, dropout: Dropout?, memory: StepMemory, profile: StepProfile? = nil
  ) -> Pass {
    Pass(
      parameters: parameters, gradient: gradient, base: base, dropout: dropout, memory: memory,
      profile: profile)
  }

  /// A pass that only computes outputs; memory is reused from layer to layer.
  public static func inference(
    _ parameters: UnsafePointer<Float>, base: UnsafePointer<Float>? = nil, memory: StepMemory,
    profile: StepProfile? = nil
  ) -> Pass {
    Pass(
      parameters: parameters, gradient: nil, base: base, dropout: nil, memory: memory, profile: profile)
  }
}

extension Pass {
  /// Memory for what the backward pass needs and for results.
  var arena: Arena { memory.kept }
  /// Memory that is taken back at the end of a block.
  var transient: Arena { memory.transient }

  /// Where the input of a layer belongs: its adapter's gradient needs the input itself unless dropout has made
  /// a copy.
  func arena(forInputOf layer: AdaptedLinear) -> Arena { arena(forInputOf: [layer]) }

  /// Where the common input of layers belongs.
  func arena(forInputOf layers: [AdaptedLinear]) -> Arena {
    gradient != nil && dropout == nil && layers.contains { $0.isAdapted } ? arena : transient
  }

  /// Runs the work of a block and takes back what it leaves in transient memory.
  func block<Result>(_ body: () -> Result) -> Result {
    let mark = transient.mark
    defer { transient.release(to: mark) }
    return body()
  }
}

/// Dropout on the inputs of the adapters' path, each adapted layer with numbers of its own.
public struct Dropout: Sendable {
  /// The probability that an input is dropped, in [0, 1).
  public let probability: Float
  /// Seed, client, round and step; the part is the adapted layer's index.
  public let key: RandomKey

  public init?(probability: Float, key: RandomKey) {
    guard probability > 0 else { return nil }
    self.probability = probability
    self.key = key
  }
}
