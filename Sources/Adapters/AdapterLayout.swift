/// Where a named tensor lies in an adapter's buffer.
public struct TensorSlot: Sendable, Equatable {
  public let name: String
  public let shape: [Int]
  /// The index of the tensor's first float in the buffer.
  public let offset: Int

  public var count: Int { shape.reduce(1, *) }
  public var range: Range<Int> { offset..<offset + count }
}

/// Where the factors of one adapted layer lie in an adapter's buffer.
///
/// `a` is `adapterRank × inputs` and `b` is `outputs × adapterRank`, both row-major: PEFT's
/// `lora_A.weight` and `lora_B.weight`. Where there is a core R (`adapterRank × adapterRank`), the layer adds
/// `scaling · B R A` and R alone is trained. This is the one place where the orientation is written down.
public struct LayerSlot: Sendable, Equatable {
  public let layer: AdaptedLayer
  /// The layer's position in the layout.
  public let index: Int
  public let a: TensorSlot
  public let b: TensorSlot
  public let core: TensorSlot?
  /// Where the layer's base weight begins in a buffer of the base weights of all adapted layers.
  public let baseOffset: Int

  /// Both factors: B follows A without a gap.
  public var range: Range<Int> { a.range.lowerBound..<b.range.upperBound }
}

/// What becomes of the classifier's head.
public enum HeadMode: String, Sendable, CaseIterable {
  /// Trained by every client, sent, and averaged.
  case shared
  /// Kept at its start.
  case frozen
  /// Trained by every client and never sent.
  case local
}

/// The table of all tensors of an adapter in one contiguous buffer: the factors and the core, if any, of every
/// adapted layer, then the head. Optimiser, norms, messages and files use the buffer or walk this table.
public struct AdapterLayout: Sendable, Equatable {
  public let layers: [LayerSlot]
  public let head: [TensorSlot]
  public let headMode: HeadMode
  /// Whether every layer has a core between its factors.
  public let hasCores: Bool
  /// Floats of all factors and cores; they fill `0..<factorCount` of the buffer.
  public let factorCount: Int
  /// Floats of the whole buffer.
  public let count: Int
  /// Floats of the base weights of all adapted layers.
  public let baseCount: Int

  public init(layers: [AdaptedLayer], head: [HeadTensor], headMode: HeadMode, hasCores: Bool = false) {
    var end = 0
    var baseEnd = 0
    func slot(_ name: String, _ shape: [Int]) -> TensorSlot {
      defer { end += shape.reduce(1, *) }
      return TensorSlot(name: name, shape: shape, offset: end)
    }
    self.layers = layers.enumerated().map { index, layer in
      defer { baseEnd += layer.outputs * layer.inputs }
      let rank = layer.adapterRank
      return LayerSlot(
        layer: layer, index: index, a: slot("\(layer.name).lora_A.weight", [rank, layer.inputs]),
        b: slot("\(layer.name).lora_B.weight", [layer.outputs, rank]),
        core: hasCores ? slot("\(layer.name).core", [rank, rank]) : nil, baseOffset: baseEnd)
    }
    baseCount = baseEnd
    factorCount = end
    self.head = head.map { slot($0.name, $0.shape) }
    self.headMode = headMode
    self.hasCores = hasCores
    count = end
  }

  /// All tensors in the order of the buffer.
  public var tensors: [TensorSlot] { layers.flatMap { [$0.a, $0.b] + ($0.core.map { [$0] } ?? []) } + head }

  /// The slots of the layer named `name`, if it is adapted.
  public subscript(name: String) -> LayerSlot? { layers.first { $0.layer.name == name } }

  /// The same layers and scalings with room for the factors of adapters of `parts` side by side, whose
  /// product is the exact sum of theirs. It has no cores: they are in the factors.
  public func stacking(_ parts: [AdapterLayout]) -> AdapterLayout {
    AdapterLayout(
      layers: layers.map { slot in
        AdaptedLayer(
          name: slot.layer.name, outputs: slot.layer.outputs, inputs: slot.layer.inputs,
          adapterRank: parts.reduce(0) { $0 + $1.layers[slot.index].layer.adapterRank },
          scaling: slot.layer.scaling)
      },
      head: head.map { HeadTensor(name: $0.name, shape: $0.shape) }, headMode: headMode)
  }
}
