internal import CKernels
internal import HalfPrecision
internal import LinearAlgebra

/// The precision of products with frozen weights.
public enum Precision: String, Sendable, CaseIterable {
  /// All operands are Float32.
  case float32 = "f32"
  /// Both operands are rounded to bfloat16; products and sums are Float32's. With `avx512_bf16` twice as fast;
  /// without it the same numbers (below 1.2e-38 apart, which that instruction takes for 0) are computed at
  /// Float32's speed.
  case bfloat16 = "bf16"
}

/// A frozen weight, outputs × inputs and row-major, where it lies: mostly in the mapped checkpoint, which the
/// processes of a node share.
struct FrozenMatrix: @unchecked Sendable {
  enum Storage {
    case float32(UnsafePointer<Float>)
    case bfloat16(UnsafePointer<BFloat16>)
  }

  let storage: Storage
  let rows: Int
  let columns: Int
  let precision: Precision

  init(storage: Storage, rows: Int, columns: Int, precision: Precision) {
    self.storage = storage
    self.rows = rows
    self.columns = columns
    self.precision = precision
  }

  /// A matrix in Float32 that nothing changes as long as this one is used; its rows follow one another.
  init(_ values: MatrixView<Float>) {
    precondition(values.stride == values.columns, "rows with gaps")
    self.init(
      storage: .float32(values.base), rows: values.rows, columns: values.columns, precision: .float32)
  }

  /// Other numbers in its place.
  func replaced(by values: UnsafePointer<Float>) -> FrozenMatrix {
    FrozenMatrix(storage: .float32(values), rows: rows, columns: columns, precision: precision)
  }

  /// One row in Float32, such as a token's embedding.
  func copyRow(_ row: Int, to target: UnsafeMutablePointer<Float>) {
    let start = row * columns
    switch storage {
    case .float32(let values): target.update(from: values + start, count: columns)
    case .bfloat16(let values):
      for column in 0..<columns { target[column] = values[start + column].float }
    }
  }

  /// All rows in Float32, one after another.
  func appendElements(to values: inout [Float]) {
    switch storage {
    case .float32(let own): values += UnsafeBufferPointer(start: own, count: rows * columns)
    case .bfloat16(let own):
      values += UnsafeBufferPointer(start: own, count: rows * columns).lazy.map(\.float)
    }
  }

  /// What a product is made of, for the kernel; `x` is tokens × inputs of the product.
  fileprivate func call(
    _ x: MatrixView<Float>, _ orientation: Orientation, bias: UnsafePointer<Float>?,
    into y: MutableMatrixView<Float>, accumulates: Bool
  ) -> fk_frozen_product_call {
    let (weight, kind): (UnsafeRawPointer, fk_number) =
      switch storage {
      case .float32(let values): (UnsafeRawPointer(values), FK_FLOAT32)
      case .bfloat16(let values): (UnsafeRawPointer(values), FK_BFLOAT16)
      }
    return fk_frozen_product_call(
      rows: x.rows, inputs: x.columns, outputs: y.columns, x: x.base, xStride: x.stride, weight: weight,
      weightStride: columns, storage: kind, transposed: orientation == .transposed ? 1 : 0,
      precision: precision == .bfloat16 ? FK_BFLOAT16 : FK_FLOAT32, bias: bias,
      accumulates: accumulates ? 1 : 0,
      y: y.base, yStride: y.stride)
  }
}

/// What this CPU offers for products with frozen weights.
private let level = fk_best_product_level()

/// What products with frozen weights are computed with, for records: `avx512_bf16`, `avx512`, `avx2`, `portable`.
public var frozenProductInstructions: String {
  switch level {
  case FK_AVX512_BF16: "avx512_bf16"
  case FK_AVX512: "avx512"
  case FK_AVX2: "avx2"
  default: "portable"
  }
}

extension Pass {
  /// `y ← x op(W) + bias`, or `y ← y + x op(W)`; booked as a base product or as another. Each number of y is
  /// one sum over the inputs in their order, whatever else is in the batch.
  func multiply(
    _ x: MatrixView<Float>, _ weight: FrozenMatrix, _ orientation: Orientation,
    bias: UnsafePointer<Float>? = nil, into y: MutableMatrixView<Float>, accumulates: Bool = false,
    as kernel: Kernel = .base
  ) {
    let shape = ProductShape(x, weightRows: weight.rows, weightColumns: weight.columns, orientation)
    precondition(
      shape.m == y.rows && shape.n == y.columns
        && shape.k == (orientation == .transposed ? weight.columns : weight.rows),
      "product of \(x.rows)×\(x.columns) and \(weight.rows)×\(weight.columns) into \(y.rows)×\(y.columns)")
    profile?.count(kernel, shape)
    profile.measure(kernel) {
      let mark = arena.mark
      defer { arena.release(to: mark) }
      var call = weight.call(x, orientation, bias: bias, into: y, accumulates: accumulates)
      let scratch = arena.floats(fk_frozen_product_scratch(&call, level) / MemoryLayout<Float>.stride)
      fk_frozen_product(&call, level, scratch)
    }
  }
}
