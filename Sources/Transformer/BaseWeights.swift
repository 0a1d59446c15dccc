public import Adapters
public import LinearAlgebra

/// The weights of the adapted layers for methods that change them; all other weights stay the
/// checkpoint's, mapped and shared. `Σ d k` floats a rank.
public struct BaseWeights: Sendable, Equatable {
  public let layout: AdapterLayout
  /// Each layer's weight, `outputs × inputs`, at its slot's `baseOffset`.
  public private(set) var values: [Float]

  public init(layout: AdapterLayout, values: [Float]) {
    precondition(values.count == layout.baseCount, "\(values.count) weights for \(layout.baseCount)")
    self.layout = layout
    self.values = values
  }

  /// One layer's weight, `outputs × inputs`, row-major.
  public subscript(slot: LayerSlot) -> ArraySlice<Float> {
    values[slot.baseOffset..<slot.baseOffset + slot.layer.outputs * slot.layer.inputs]
  }

  /// `W ← W + scaling · b a` in one layer, with its own scaling; b is d×R, a is R×k.
  public mutating func add(b: MatrixView<Float>, a: MatrixView<Float>, to slot: LayerSlot) {
    withWeight(of: slot) {
      multiply(b, .asStored, a, .asStored, into: $0, alpha: slot.layer.scaling, beta: 1)
    }
  }

  /// `W ← W + scaling · change` in one layer; the change is d×k.
  public mutating func add(_ change: MatrixView<Float>, to slot: LayerSlot) {
    withWeight(of: slot) { weight in
      for row in 0..<weight.rows {
        for column in 0..<weight.columns {
          weight[row, column] += slot.layer.scaling * change[row, column]
        }
      }
    }
  }

  private mutating func withWeight(of slot: LayerSlot, _ body: (MutableMatrixView<Float>) -> Void) {
    values.withUnsafeMutableBufferPointer { values in
      body(
        MutableMatrixView(
          values.baseAddress! + slot.baseOffset, rows: slot.layer.outputs, columns: slot.layer.inputs))
    }
  }
}

/// Lends the weights' address for a pass; nil for the checkpoint's own.
public func withPointer<Result>(
  to base: BaseWeights?, _ body: (UnsafePointer<Float>?) throws -> Result
) rethrows -> Result {
  guard let base else { return try body(nil) }
  return try base.values.withUnsafeBufferPointer { try body($0.baseAddress) }
}
