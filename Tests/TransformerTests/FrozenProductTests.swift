import CKernels
import HalfPrecision
import Randomness
import Testing

/// Products with frozen weights: every kind of CPU that this one can stand for, every storage and precision.
@Suite struct FrozenProductTests {
  struct Shape: CustomStringConvertible {
    let rows: Int
    let inputs: Int
    let outputs: Int
    var description: String { "\(rows)×\(inputs)×\(outputs)" }
  }

  /// Whole tiles and panels, ragged ones, single rows, few rows and just too many, more panels than fit into one
  /// turn, more inputs than one takes.
  static let shapes = [
    Shape(rows: 6, inputs: 32, outputs: 64), Shape(rows: 1, inputs: 1, outputs: 1),
    Shape(rows: 13, inputs: 37, outputs: 70), Shape(rows: 5, inputs: 33, outputs: 15),
    Shape(rows: 17, inputs: 96, outputs: 130), Shape(rows: 16, inputs: 48, outputs: 11),
    Shape(rows: 3, inputs: 900, outputs: 140),
    Shape(rows: 2, inputs: 2000, outputs: 600),
    Shape(rows: 7, inputs: 1601, outputs: 70),
  ]
  static let levels = [FK_PORTABLE, FK_AVX2, FK_AVX512, FK_AVX512_BF16].filter {
    $0.rawValue <= fk_best_product_level().rawValue
  }

  /// Operands with strides wider than they are.
  private struct Operands {
    let shape: Shape
    let isTransposed: Bool
    var x: [Float]
    let weight: [Float]
    let weightInHalf: [BFloat16]
    let bias: [Float]
    let start: [Float]
    static let gap = 3

    init(_ shape: Shape, isTransposed: Bool) {
      self.shape = shape
      self.isTransposed = isTransposed
      var stream = RandomStream(RandomKey(seed: 1, purpose: .test, part: shape.inputs))
      func numbers(_ count: Int) -> [Float] { (0..<count).map { _ in Float(stream.normal()) } }
      x = numbers(shape.rows * (shape.inputs + Self.gap))
      let (rows, columns) = isTransposed ? (shape.outputs, shape.inputs) : (shape.inputs, shape.outputs)
      weight = numbers(rows * (columns + Self.gap))
      weightInHalf = BFloat16.rounding(weight)
      bias = numbers(shape.outputs)
      start = numbers(shape.rows * (shape.outputs + Self.gap))
    }

    var weightStride: Int { (isTransposed ? shape.inputs : shape.outputs) + Self.gap }

    func weight(_ input: Int, _ output: Int) -> Float {
      weight[isTransposed ? output * weightStride + input : input * weightStride + output]
    }
  }

  private struct Kind {
    var storage = FK_FLOAT32
    var precision = FK_FLOAT32
    var level = fk_best_product_level()
    var rows: Range<Int>?
    var accumulates = false
  }

  /// y with its stride, whatever was there between its rows kept.
  private func product(_ operands: Operands, _ kind: Kind) -> [Float] {
    let shape = operands.shape
    let rows = kind.rows ?? 0..<shape.rows
    let (xStride, yStride) = (shape.inputs + Operands.gap, shape.outputs + Operands.gap)
    var y = operands.start
    operands.weightInHalf.withUnsafeBytes { halves in
      operands.weight.withUnsafeBytes { floats in
        operands.x.withUnsafeBufferPointer { x in
          operands.bias.withUnsafeBufferPointer { bias in
            y.withUnsafeMutableBufferPointer { y in
              var call = fk_frozen_product_call(
                rows: rows.count, inputs: shape.inputs, outputs: shape.outputs,
                x: x.baseAddress! + rows.lowerBound * xStride, xStride: xStride,
                weight: (kind.storage == FK_FLOAT32 ? floats : halves).baseAddress,
                weightStride: operands.weightStride, storage: kind.storage,
                transposed: operands.isTransposed ? 1 : 0, precision: kind.precision, bias: bias.baseAddress,
                accumulates: kind.accumulates ? 1 : 0, y: y.baseAddress! + rows.lowerBound * yStride,
                yStride: yStride)
              let byteCount = fk_frozen_product_scratch(&call, kind.level)
              withUnsafeTemporaryAllocation(byteCount: byteCount + 4096, alignment: 64) { scratch in
                let guardBytes = UnsafeMutableRawBufferPointer(rebasing: scratch[byteCount...])
                for index in guardBytes.indices { guardBytes[index] = 0xA5 }
                fk_frozen_product(&call, kind.level, scratch.baseAddress)
                #expect(guardBytes.allSatisfy { $0 == 0xA5 }, "\(kind) writes beyond its scratch")
              }
            }
          }
        }
      }
    }
    return y
  }

  private func expected(_ operands: Operands, _ kind: Kind) -> [Double] {
    let shape = operands.shape
    let stride = shape.outputs + Operands.gap
    func x(_ row: Int, _ input: Int) -> Double {
      let value = operands.x[row * (shape.inputs + Operands.gap) + input]
      return Double(kind.precision == FK_FLOAT32 ? value : BFloat16(value).float)
    }
    func weight(_ input: Int, _ output: Int) -> Double {
      let value = operands.weight(input, output)
      let isFloat = kind.precision == FK_FLOAT32 && kind.storage == FK_FLOAT32
      return Double(isFloat ? value : BFloat16(value).float)
    }
    var y = operands.start.map { Double($0) }
    for row in 0..<shape.rows {
      for output in 0..<shape.outputs {
        let start = kind.accumulates ? y[row * stride + output] : Double(operands.bias[output])
        y[row * stride + output] = (0..<shape.inputs).reduce(start) {
          $0 + x(row, $1) * weight($1, output)
        }
      }
    }
    return y
  }

  @Test(arguments: shapes, [(true, false), (true, true), (false, false), (false, true)])
  func isTheProduct(shape: Shape, form: (isTransposed: Bool, accumulates: Bool)) {
    let operands = Operands(shape, isTransposed: form.isTransposed)
    let kinds = [FK_FLOAT32, FK_BFLOAT16].flatMap { storage in
      [FK_FLOAT32, FK_BFLOAT16].map { Kind(storage: storage, precision: $0, accumulates: form.accumulates) }
    }
    for var kind in kinds {
      let expected = expected(operands, kind)
      for level in Self.levels {
        kind.level = level
        let difference = zip(product(operands, kind), expected).map { abs(Double($0) - $1) }.max()!
        #expect(difference < 1e-5 * Double(shape.inputs).squareRoot(), "\(kind)")
      }
    }
  }

  /// Every storage and precision, begun with the bias or with what is there.
  private static let kinds = [FK_FLOAT32, FK_BFLOAT16].flatMap { storage in
    [FK_FLOAT32, FK_BFLOAT16].flatMap { precision in
      [false, true].map { Kind(storage: storage, precision: precision, accumulates: $0) }
    }
  }

  /// CPUs that fuse agree, so that a run's bits do not tell where it ran.
  @Test(arguments: shapes, [true, false])
  func sameBitsOnEveryCPUThatFuses(shape: Shape, isTransposed: Bool) {
    let operands = Operands(shape, isTransposed: isTransposed)
    for var kind in Self.kinds {
      let results = Self.levels.filter { $0 != FK_PORTABLE }.map {
        kind.level = $0
        return product(operands, kind).map(\.bitPattern)
      }
      for result in results.dropFirst() { #expect(result == results[0], "\(kind)") }
    }
  }

  /// A row's result does not depend on what else is in the batch.
  @Test(arguments: shapes)
  func sameBitsForARowAlone(shape: Shape) {
    let operands = Operands(shape, isTransposed: true)
    let stride = shape.outputs + Operands.gap
    for (var kind, level) in Self.kinds.flatMap({ kind in Self.levels.map { (kind, $0) } }) {
      kind.level = level
      let together = product(operands, kind)
      for row in 0..<shape.rows {
        kind.rows = row..<row + 1
        let alone = product(operands, kind)
        let range = row * stride..<row * stride + shape.outputs
        #expect(alone[range] == together[range], "\(kind)")
      }
    }
  }

  @Test func notANumberStaysOne() {
    var operands = Operands(Shape(rows: 2, inputs: 3, outputs: 5), isTransposed: true)
    operands.x[1] = .nan
    for precision in [FK_FLOAT32, FK_BFLOAT16] {
      let y = product(operands, Kind(precision: precision))
      #expect(y[..<5].allSatisfy { $0.isNaN })
      #expect(y[(5 + Operands.gap)..<(10 + Operands.gap)].allSatisfy { $0.isFinite })
    }
  }
}
