internal import CKernels
internal import LinearAlgebra

/// The nonlinearity of a feed-forward block, by the name that Hugging Face configurations use.
enum Activation: String, CaseIterable, Sendable {
  case gelu
  case geluNew = "gelu_new"
  case geluTanh = "gelu_pytorch_tanh"
  case relu

  /// `f(x)`, same shape.
  func forward(_ x: MatrixView<Float>, _ arena: Arena) -> MutableMatrixView<Float> {
    let y = arena.matrix(rows: x.rows, columns: x.columns)
    let count = x.rows * x.columns
    switch self {
    case .gelu: fk_gelu_forward(x.base, y.base, count)
    case .geluNew, .geluTanh: fk_gelu_tanh_forward(x.base, y.base, count)
    case .relu: fk_relu_forward(x.base, y.base, count)
    }
    return y
  }

  /// In place: `gradient ⊙ f′(x)`.
  func backward(_ x: MatrixView<Float>, _ gradient: MutableMatrixView<Float>) {
    let count = x.rows * x.columns
    switch self {
    case .gelu: fk_gelu_backward(x.base, gradient.base, count)
    case .geluNew, .geluTanh: fk_gelu_tanh_backward(x.base, gradient.base, count)
    case .relu: fk_relu_backward(x.base, gradient.base, count)
    }
  }
}
