import CKernels
import Foundation
import Randomness
import Testing

/// The kernels against plain double-precision formulas.
@Suite struct KernelTests {
  private let inputs: [Float] = stride(from: -12.0, through: 12.0, by: 0.01).map { Float($0) }

  private func normals(_ count: Int) -> [Float] {
    var stream = RandomStream(RandomKey(seed: 2, purpose: .test, part: count))
    return (0..<count).map { _ in Float(3 * stream.normal()) }
  }

  private func check(
    _ kernel: (UnsafePointer<Float>, UnsafeMutablePointer<Float>, Int) -> Void, tolerance: Double,
    _ formula: (Double) -> Double
  ) {
    var outputs = inputs
    kernel(inputs, &outputs, inputs.count)
    for (x, y) in zip(inputs, outputs) {
      let expected = formula(Double(x))
      #expect(abs(Double(y) - expected) < tolerance * max(1, abs(expected)), "x = \(x)")
    }
  }

  /// The derivative: the kernel multiplies a gradient of ones.
  private func checkDerivative(
    _ kernel: (UnsafePointer<Float>, UnsafeMutablePointer<Float>, Int) -> Void,
    tolerance: Double = 5e-7, _ formula: (Double) -> Double
  ) {
    check(
      { x, y, count in
        y.update(repeating: 1, count: count)
        kernel(x, y, count)
      }, tolerance: tolerance, formula)
  }

  private func distribution(_ x: Double) -> Double { 0.5 * erfc(-x / 2.0.squareRoot()) }
  private func density(_ x: Double) -> Double { exp(-x * x / 2) / (2 * Double.pi).squareRoot() }

  @Test func exactGELU() {
    check({ fk_gelu_forward($0, $1, $2) }, tolerance: 5e-7) { $0 * distribution($0) }
    checkDerivative({ fk_gelu_backward($0, $1, $2) }) { distribution($0) + $0 * density($0) }
  }

  @Test func tanhGELU() {
    let root = (2 / Double.pi).squareRoot()
    func inner(_ x: Double) -> Double { root * (x + 0.044715 * x * x * x) }
    check({ fk_gelu_tanh_forward($0, $1, $2) }, tolerance: 1e-6) { 0.5 * $0 * (1 + tanh(inner($0))) }
    // s (1 - s) loses digits where s is near 1, and a factor of up to 3 v² magnifies that.
    checkDerivative({ fk_gelu_tanh_backward($0, $1, $2) }, tolerance: 2e-6) { x in
      let t = tanh(inner(x))
      return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * root * (1 + 3 * 0.044715 * x * x)
    }
  }

  @Test func rectifier() {
    check({ fk_relu_forward($0, $1, $2) }, tolerance: 1e-9) { max(0, $0) }
    checkDerivative({ fk_relu_backward($0, $1, $2) }) { $0 > 0 ? 1 : 0 }
  }

  @Test(arguments: [1, 7, 16, 33, 128]) func softmax(columns: Int) {
    var stream = RandomStream(RandomKey(seed: 1, purpose: .test, part: columns))
    let scores = (0..<3 * columns).map { _ in Float(20 * stream.normal()) }
    var probabilities = scores
    fk_softmax_forward(&probabilities, 3, columns, nil, 0, nil, 0.5)
    for row in 0..<3 {
      let range = row * columns..<(row + 1) * columns
      let exponentials = scores[range].map { exp(0.5 * Double($0)) }
      let sum = exponentials.reduce(0, +)
      for (found, e) in zip(probabilities[range], exponentials) {
        #expect(abs(Double(found) - e / sum) < 1e-6)
      }
    }
  }

  @Test func softmaxOfWhatIsVisible() {
    let (columns, visible): (Int, [Int32]) = (37, [1, 5, 37])
    let scores = normals(3 * columns)
    var (found, rows) = (scores, [Float]())
    fk_softmax_forward(&found, 3, columns, visible.map { $0 - 1 }, 1, nil, 0.5)
    for (row, count) in visible.enumerated() {
      var alone = Array(scores[row * columns..<row * columns + Int(count)])
      fk_softmax_forward(&alone, 1, Int(count), nil, 0, nil, 0.5)
      rows += alone + [Float](repeating: 0, count: columns - Int(count))
    }
    #expect(found == rows)
  }

  @Test(arguments: [false, true]) func softmaxWithABias(isCausal: Bool) {
    let (columns, positions): (Int, [Int32]) = (37, [36, 0, 11])
    let (scores, terms) = (normals(3 * columns), normals(2 * columns - 1))
    var found = scores
    terms.withUnsafeBufferPointer {
      fk_softmax_forward(
        &found, 3, columns, positions, isCausal ? 1 : 0, $0.baseAddress! + columns - 1, 0.5)
    }
    for (row, position) in positions.enumerated() {
      let exponentials = (0..<columns).map { column in
        let term = terms[column - Int(position) + columns - 1]
        let isSeen = !isCausal || column <= Int(position)
        return isSeen ? exp(0.5 * Double(scores[row * columns + column]) + Double(term)) : 0
      }
      let sum = exponentials.reduce(0, +)
      for (column, e) in exponentials.enumerated() {
        #expect(abs(Double(found[row * columns + column]) - e / sum) < 1e-6)
      }
    }
  }

  @Test func dropoutTakesTheNumbersOfItsStream() {
    let key = RandomKey(seed: 0x1234_5678_9ABC, purpose: .dropout, client: 3, round: 2, step: 1, part: 4)
    var kernelKey = fk_random_key(
      key: (key.philoxKey[0], key.philoxKey[1]),
      counter: (key.philoxCounter[0], key.philoxCounter[1], key.philoxCounter[2], key.philoxCounter[3]))
    let ones = [Float](repeating: 1, count: 1000)
    var dropped = ones
    fk_dropout_forward(ones, &dropped, ones.count, 0.25, &kernelKey)
    for (index, value) in dropped.enumerated() {
      var counter = key.philoxCounter
      counter[0] += UInt32(index / 64 * 16 + index % 16)
      let word = Philox.block(counter: counter, key: key.philoxKey)[index % 64 / 16]
      #expect(value == (word >= 1 << 30 ? 1 / 0.75 : 0))
    }
    var gradient = [Float](repeating: 2, count: ones.count)
    fk_dropout_backward_add(ones, &gradient, ones.count, 0.25, &kernelKey)
    #expect(gradient == dropped.map { 2 + $0 })
  }

  @Test func sumOfSquaresKeepsSmallTerms() {
    let values = [Float(1e4)] + [Float](repeating: 1e-2, count: 100_001)
    let expected = values.reduce(0) { $0 + Double($1) * Double($1) }
    #expect(abs(fk_sum_of_squares(values, values.count) / expected - 1) < 1e-11)
  }
}
