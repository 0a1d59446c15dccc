internal import Adapters
internal import CKernels
internal import LinearAlgebra

/// A linear layer of a classifier's head, `y = x Wᵀ + b`: W (d×k) and b are in the adapter's buffer.
///
/// Letters: S sequences, k inputs, d outputs.
struct HeadLinear: Sendable {
  private let weight: TensorSlot
  private let bias: TensorSlot
  private let isTrained: Bool

  /// The layer whose tensors are `name.weight` and `name.bias`.
  init(_ name: String, _ layout: AdapterLayout) {
    func slot(_ part: String) -> TensorSlot { layout.head.first { $0.name == "\(name).\(part)" }! }
    (weight, bias, isTrained) = (slot("weight"), slot("bias"), layout.headMode != .frozen)
  }

  var outputs: Int { weight.shape[0] }
  private var inputs: Int { weight.shape[1] }

  /// Shapes: x S×k, y S×d.
  func forward(_ x: MatrixView<Float>, into y: MutableMatrixView<Float>, _ pass: Pass) {
    pass.multiply(.base, x, .asStored, values(pass), .transposed, into: y)
    fk_add_bias(y.base, pass.parameters + bias.offset, y.rows, y.columns)
  }

  /// Adds the gradients of weight and bias where they are trained; the input's is written to `dx`, S×k.
  func backward(
    _ dy: MatrixView<Float>, input x: MatrixView<Float>, into dx: MutableMatrixView<Float>, _ pass: Pass
  ) {
    addGradient(dy, x, pass)
    pass.multiply(.base, dy, .asStored, values(pass), .asStored, into: dx)
  }

  private func values(_ pass: Pass) -> MatrixView<Float> {
    MatrixView(pass.parameters + weight.offset, rows: outputs, columns: inputs)
  }

  private func addGradient(_ dy: MatrixView<Float>, _ x: MatrixView<Float>, _ pass: Pass) {
    guard isTrained, let gradient = pass.gradient else { return }
    let dWeight = MutableMatrixView(gradient + weight.offset, rows: outputs, columns: inputs)
    pass.multiply(.base, dy, .transposed, x, .asStored, into: dWeight, beta: 1)
    for row in 0..<dy.rows { fk_add(gradient + bias.offset, dy.base + row * dy.stride, outputs) }
  }
}
