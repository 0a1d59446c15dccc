public import LinearAlgebra
internal import Randomness

/// The numbers of one adapter, in the order of its layout.
public struct AdapterParameters: Sendable, Equatable {
  public let layout: AdapterLayout
  /// `layout.count` floats.
  public var values: [Float]

  /// An adapter of zeros.
  public init(layout: AdapterLayout) {
    self.init(layout: layout, values: [Float](repeating: 0, count: layout.count))
  }

  public init(layout: AdapterLayout, values: [Float]) {
    precondition(values.count == layout.count, "\(values.count) values for a layout of \(layout.count)")
    self.layout = layout
    self.values = values
  }

  /// The values of one tensor.
  public subscript(slot: TensorSlot) -> ArraySlice<Float> {
    get { values[slot.range] }
    set { values.replaceSubrange(slot.range, with: newValue) }
  }

  /// A start as PEFT makes it: A uniform in ±1/√k (Kaiming with a = √5), B zero; the head's weight
  /// uniform in ±1/√inputs and its bias zero. A pure function of the seed and the layer's position.
  ///
  /// `round` is 0 before the first round; methods that start afresh later draw new factors for each round.
  public static func start(layout: AdapterLayout, seed: UInt64, round: Int = 0) -> AdapterParameters {
    var parameters = AdapterParameters(layout: layout)
    for slot in layout.layers {
      let key = RandomKey(seed: seed, purpose: .adapterStart, round: round, part: slot.index)
      parameters.fillUniform(slot.a, fanIn: slot.layer.inputs, key)
    }
    for (index, slot) in layout.head.enumerated() where slot.shape.count == 2 {
      parameters.fillUniform(
        slot, fanIn: slot.shape[1], RandomKey(seed: seed, purpose: .headStart, part: index))
    }
    return parameters
  }

  private mutating func fillUniform(_ slot: TensorSlot, fanIn: Int, _ key: RandomKey) {
    let bound = 1 / Float(fanIn).squareRoot()
    var stream = RandomStream(key)
    for index in slot.range { values[index] = (2 * stream.uniformFloat() - 1) * bound }
  }
}

extension LayerSlot {
  /// The factor A (`adapterRank × inputs`) in an adapter's buffer.
  public func a(in buffer: UnsafePointer<Float>) -> MatrixView<Float> {
    MatrixView(buffer + a.offset, rows: layer.adapterRank, columns: layer.inputs)
  }

  /// The factor B (`outputs × adapterRank`) in an adapter's buffer.
  public func b(in buffer: UnsafePointer<Float>) -> MatrixView<Float> {
    MatrixView(buffer + b.offset, rows: layer.outputs, columns: layer.adapterRank)
  }

  /// The factor A in a buffer that can be written.
  public func a(in buffer: UnsafeMutablePointer<Float>) -> MutableMatrixView<Float> {
    MutableMatrixView(buffer + a.offset, rows: layer.adapterRank, columns: layer.inputs)
  }

  /// The factor B in a buffer that can be written.
  public func b(in buffer: UnsafeMutablePointer<Float>) -> MutableMatrixView<Float> {
    MutableMatrixView(buffer + b.offset, rows: layer.outputs, columns: layer.adapterRank)
  }
}

extension AdapterParameters {
  /// The head's floats, behind the factors.
  public var head: ArraySlice<Float> {
    get { values[layout.factorCount...] }
    set { values.replaceSubrange(layout.factorCount..., with: newValue) }
  }
}
