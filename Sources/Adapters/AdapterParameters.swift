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
  /// With cores the start adds nothing either: the core is zero, and A and B, which nobody trains, are as
  /// `fixFactors` makes them.
  ///
  /// `round` is 0 before the first round; methods that start afresh later draw new factors for each round.
  public static func start(layout: AdapterLayout, seed: UInt64, round: Int = 0) -> AdapterParameters {
    var parameters = AdapterParameters(layout: layout)
    for slot in layout.layers {
      let key = RandomKey(seed: seed, purpose: .adapterStart, round: round, part: slot.index)
      parameters.fillUniform(slot.a, fanIn: slot.layer.inputs, key)
      if slot.core != nil { parameters.fixFactors(slot, key) }
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

  /// The factors around a core: the rows of A orthogonal, of length 1/√3, and the columns of B orthogonal, of
  /// length d/r; the subspaces are random.
  ///
  /// Orthogonal, so that no direction of the core learns faster than another. The lengths let a learning rate for
  /// LoRA serve the core: 1/√3 is the length of PEFT's rows of A, and with columns of length d/r the first step of
  /// Adam on the core's r² numbers lowers the loss, to first order and in the mean over the random subspaces, as
  /// much as that on the d·r numbers of LoRA's B.
  private mutating func fixFactors(_ slot: LayerSlot, _ key: RandomKey) {
    var key = key
    key.step = 1
    fillUniform(slot.b, fanIn: slot.layer.adapterRank, key)
    let growth = Double(slot.layer.outputs) / Double(slot.layer.adapterRank)
    orthogonalise(slot.a, .transposed, length: (1 / 3).squareRoot())
    orthogonalise(slot.b, .asStored, length: growth)
  }

  /// Puts an orthogonal basis of the columns' space, each of `length`, in place of a tensor's columns; with
  /// `.transposed` of its rows.
  private mutating func orthogonalise(_ slot: TensorSlot, _ orientation: Orientation, length: Double) {
    let matrix = Matrix(rows: slot.shape[0], columns: slot.shape[1], elements: self[slot].map { Double($0) })
    let tall = orientation == .asStored ? matrix : matrix.transposed
    guard tall.rows >= tall.columns, let basis = try? tall.withView({ try thinQR($0) }).q else {
      preconditionFailure("\(slot.name): no orthogonal basis of a \(tall.rows)×\(tall.columns) matrix")
    }
    let result = orientation == .asStored ? basis : basis.transposed
    self[slot] = result.elements.map { Float(length * $0) }[...]
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

extension LayerSlot {
  /// The core (`adapterRank × adapterRank`) in an adapter's buffer; nil where the layer has none.
  public func core(in buffer: UnsafePointer<Float>) -> MatrixView<Float>? {
    core.map { MatrixView(buffer + $0.offset, rows: layer.adapterRank, columns: layer.adapterRank) }
  }

  /// The core in a buffer that can be written; nil where the layer has none.
  public func core(in buffer: UnsafeMutablePointer<Float>) -> MutableMatrixView<Float>? {
    core.map { MutableMatrixView(buffer + $0.offset, rows: layer.adapterRank, columns: layer.adapterRank) }
  }
}

extension AdapterParameters {
  /// The same adapter as pairs of factors alone: `core · A` in place of A. Itself where there are no cores.
  public var withoutCores: AdapterParameters {
    guard layout.hasCores else { return self }
    var pairs = AdapterParameters(layout: layout.stacking([layout]))
    values.withUnsafeBufferPointer { values in
      for (slot, pair) in zip(layout.layers, pairs.layout.layers) {
        guard let core = slot.core(in: values.baseAddress!) else { continue }
        pairs[pair.a] = product(core, .asStored, slot.a(in: values.baseAddress!)).elements[...]
        pairs[pair.b] = self[slot.b]
      }
    }
    pairs.head = head
    return pairs
  }
}

extension AdapterParameters {
  /// The head's floats, behind the factors.
  public var head: ArraySlice<Float> {
    get { values[layout.factorCount...] }
    set { values.replaceSubrange(layout.factorCount..., with: newValue) }
  }
}
