/// A linear layer of the base model that an adapter adds `scaling · B A` to.
public struct AdaptedLayer: Sendable, Equatable {
  /// The module's path in the model, as PEFT sees it: `bert.encoder.layer.0.attention.self.query`.
  public let name: String
  /// Rows of the base weight, d.
  public let outputs: Int
  /// Columns of the base weight, k.
  public let inputs: Int
  /// The rank r of the adapter's factors.
  public let adapterRank: Int
  /// `α / r`, or `α / √r` for rank-stabilised LoRA.
  public let scaling: Float

  public init(name: String, outputs: Int, inputs: Int, adapterRank: Int, scaling: Float) {
    self.name = name
    self.outputs = outputs
    self.inputs = inputs
    self.adapterRank = adapterRank
    self.scaling = scaling
  }

  /// Floats of both factors, `r (d + k)`.
  public var factorCount: Int { adapterRank * (outputs + inputs) }
}

/// A tensor that is trained beside the factors: weight or bias of the classifier head.
public struct HeadTensor: Sendable, Equatable {
  /// The tensor's name in the model: `classifier.weight`.
  public let name: String
  public let shape: [Int]

  public init(name: String, shape: [Int]) {
    self.name = name
    self.shape = shape
  }

  public var elementCount: Int { shape.reduce(1, *) }
}
