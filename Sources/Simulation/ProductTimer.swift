internal import LinearAlgebra
internal import Telemetry
internal import Transformer

/// How long matrix products of given shapes take by themselves, on contiguous operands of their own: what a step's
/// products could take at best with this BLAS. (Attention's are views with a stride.)
struct ProductTimer {
  private var left: [Float] = []
  private var right: [Float] = []
  private var target: [Float] = []

  /// Seconds of all these products together, each shape timed alone: the fastest of three times after one that
  /// does not count.
  mutating func seconds(of products: [ProductShape: Int]) -> Double {
    products.reduce(0) { $0 + Double($1.value) * seconds(of: $1.key) }
  }

  /// Seconds of a profile's products with base weights and of attention.
  mutating func secondsOfBaseAndAttention(_ profile: StepProfile) -> Double {
    [Kernel.base, .attention].reduce(0) { $0 + seconds(of: profile.products[$1] ?? [:]) }
  }

  private mutating func seconds(of shape: ProductShape) -> Double {
    grow(&left, to: shape.m * shape.k)
    grow(&right, to: shape.k * shape.n)
    grow(&target, to: shape.m * shape.n)
    // Small products are timed in groups of about a tenth of a millisecond.
    let group = max(1, 10_000_000 / max(shape.operationCount, 1))
    return (0..<4).map { _ in
      let watch = Stopwatch()
      for _ in 0..<group { multiply(shape) }
      return watch.elapsedSeconds / Double(group)
    }.dropFirst().min()!
  }

  private mutating func multiply(_ shape: ProductShape) {
    left.withUnsafeBufferPointer { left in
      right.withUnsafeBufferPointer { right in
        target.withUnsafeMutableBufferPointer { target in
          LinearAlgebra.multiply(
            MatrixView(left.baseAddress!, rows: shape.leftStored.rows, columns: shape.leftStored.columns),
            shape.left,
            MatrixView(right.baseAddress!, rows: shape.rightStored.rows, columns: shape.rightStored.columns),
            shape.right, into: MutableMatrixView(target.baseAddress!, rows: shape.m, columns: shape.n))
        }
      }
    }
  }

  private func grow(_ array: inout [Float], to count: Int) {
    if array.count < count { array += [Float](repeating: 0.5, count: count - array.count) }
  }
}
