import CKernels
import Foundation
import Randomness
import Testing

/// The decoders' kernels against plain double-precision formulas.
@Suite struct DecoderKernelTests {
  private func normals(_ count: Int, part: Int = 0) -> [Float] {
    var stream = RandomStream(RandomKey(seed: 4, purpose: .test, part: part))
    return (0..<count).map { _ in Float(3 * stream.normal()) }
  }

  /// z, x + r or x alone, its norm, and the gradient of `⟨dy, y⟩ + ⟨skip, z⟩`.
  @Test(arguments: [1, 7, 48, 100], [true, false]) func rootMeanSquareNorm(columns: Int, hasResidual: Bool) {
    let rows = 3
    let (x, residual) = (normals(rows * columns, part: 1), normals(rows * columns, part: 2))
    let (gain, dy) = (normals(columns, part: 3), normals(rows * columns, part: 4))
    var sum = [Float](repeating: 0, count: rows * columns)
    var (y, dz, inverse) = (sum, sum, [Float](repeating: 0, count: rows))
    fk_rms_norm_forward(x, hasResidual ? residual : nil, gain, &sum, &y, &inverse, rows, columns, 1e-3)
    let z = hasResidual ? zip(x, residual).map { $0 + $1 } : x
    #expect(sum == (hasResidual ? z : [Float](repeating: 0, count: z.count)))
    fk_rms_norm_backward(dy, z, gain, inverse, hasResidual ? residual : nil, &dz, rows, columns)
    for row in 0..<rows {
      let range = row * columns..<(row + 1) * columns
      let values = z[range].map { Double($0) }
      let root = 1 / (values.reduce(0) { $0 + $1 * $1 } / Double(columns) + 1e-3).squareRoot()
      let slopes = zip(dy[range], gain).map { Double($0) * Double($1) }
      let mean = zip(slopes, values).reduce(0) { $0 + $1.0 * $1.1 } / Double(columns)
      for (index, place) in range.enumerated() {
        let expected = values[index] * root * Double(gain[index])
        #expect(abs(Double(y[place]) - expected) < 2e-6 * max(1, abs(expected)))
        let skip = hasResidual ? Double(residual[place]) : 0
        let slope = (slopes[index] - values[index] * root * root * mean) * root + skip
        #expect(abs(Double(dz[place]) - slope) < 5e-6 * max(1, abs(slope), abs(slopes[index] * root)))
      }
    }
  }

  @Test func rotation() {
    let (heads, size, stride) = (3, 6, 20)
    let positions: [Int32] = [2, 0, 1]
    let angles = (0..<9).map { 0.3 * Float($0) }
    let (cosines, sines) = (angles.map { cosf($0) }, angles.map { sinf($0) })
    let x = normals(3 * stride)
    var turned = x
    fk_rotate(&turned, stride, positions, cosines, sines, 3, heads, size, 1)
    for row in 0..<3 {
      for head in 0..<heads {
        for index in 0..<3 {
          let first = row * stride + head * size + index
          let angle = Double(angles[Int(positions[row]) * 3 + index])
          let (a, b) = (Double(x[first]), Double(x[first + 3]))
          #expect(abs(Double(turned[first]) - (a * cos(angle) - b * sin(angle))) < 2e-6)
          #expect(abs(Double(turned[first + 3]) - (b * cos(angle) + a * sin(angle))) < 2e-6)
        }
      }
      // What lies between the rows stays.
      let gap = row * stride + heads * size..<(row + 1) * stride
      #expect(turned[gap] == x[gap])
    }
    fk_rotate(&turned, stride, positions, cosines, sines, 3, heads, size, -1)
    for (found, expected) in zip(turned, x) { #expect(abs(found - expected) < 2e-6) }
  }

  @Test func gatedActivation() {
    let gate: [Float] = stride(from: -12.0, through: 12.0, by: 0.02).map { Float($0) } + [-200, 200]
    let (up, dy) = (normals(gate.count, part: 5), normals(gate.count, part: 6))
    var (y, dGate) = (gate, dy)
    var dUp = gate
    fk_swiglu_forward(gate, up, &y, 1, gate.count)
    fk_swiglu_backward(gate, up, &dGate, &dUp, 1, gate.count)
    for index in gate.indices {
      let (g, u, d) = (Double(gate[index]), Double(up[index]), Double(dy[index]))
      let s = 1 / (1 + exp(-g))
      func expect(_ found: Float, _ expected: Double) {
        #expect(abs(Double(found) - expected) < 2e-6 * max(1, abs(expected)), "gate \(g)")
      }
      expect(y[index], g * s * u)
      expect(dUp[index], d * g * s)
      expect(dGate[index], d * u * s * (1 + g * (1 - s)))
    }
  }

  /// Columns that fill no part, one, and several; logits far from zero.
  @Test(arguments: [1, 30, 256, 1000], [Float(0), 5000]) func crossEntropy(columns: Int, shift: Float) {
    let rows = 3
    let logits = normals(rows * columns).map { 4 * $0 + shift }
    let targets = [0, Int32(columns / 2), Int32(columns - 1)]
    var (losses, normalisers) = ([Double](repeating: 0, count: rows), [Double](repeating: 0, count: rows))
    fk_cross_entropy_forward(logits, targets, &losses, &normalisers, rows, columns)
    var gradient = logits
    fk_cross_entropy_backward(&gradient, targets, normalisers, rows, columns, 0.25)
    for row in 0..<rows {
      let values = logits[row * columns..<(row + 1) * columns].map { Double($0) }
      let largest = values.max()!
      let normaliser = largest + log(values.reduce(0) { $0 + exp($1 - largest) })
      #expect(abs(normalisers[row] - normaliser) < 5e-7)
      #expect(abs(losses[row] - (normaliser - values[Int(targets[row])])) < 5e-7)
      for (column, value) in values.enumerated() {
        let expected = 0.25 * (exp(value - normaliser) - (column == Int(targets[row]) ? 1 : 0))
        #expect(abs(Double(gradient[row * columns + column]) - expected) < 3e-7)
      }
    }
  }

  @Test func theLowestOfTheLargest() {
    var x = [Float](repeating: -3, count: 4 * 50)
    x[7] = 2
    x[50 + 49] = -1
    x[50 + 20] = -1
    x[100 + 3] = .infinity
    var best = [Int32](repeating: -1, count: 4)
    fk_argmax(x, &best, 4, 50)
    #expect(best == [7, 20, 3, 0])
  }
}
