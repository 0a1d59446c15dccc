import Foundation

// The algorithms are written out because the standard library may change its own between versions,
// and the same seed has to give the same numbers for ever.
extension RandomStream {
  /// A number in [0, 1) with 24 random bits.
  public mutating func uniformFloat() -> Float {
    Float(nextWord() >> 8) * 0x1p-24
  }

  /// A number in [0, 1) with 53 random bits.
  public mutating func uniformDouble() -> Double {
    Double(next() >> 11) * 0x1p-53
  }

  /// A whole number in `0..<bound`, without bias (Lemire's multiplication with rejection).
  public mutating func uniformInteger(below bound: Int) -> Int {
    precondition(bound > 0, "the bound \(bound) is not positive")
    let range = UInt64(bound)
    let threshold = (0 &- range) % range
    while true {
      let product = range.multipliedFullWidth(by: next())
      if product.low >= threshold { return Int(product.high) }
    }
  }

  /// A standard normal number (Box and Muller; the sine is not used).
  public mutating func normal() -> Double {
    let radius = (-2 * Foundation.log(1 - uniformDouble())).squareRoot()
    return radius * Foundation.cos(2 * .pi * uniformDouble())
  }

  /// The logarithm of a Gamma(shape, 1) number; the logarithm does not underflow for small shapes.
  /// Source: Marsaglia and Tsang, "A simple method for generating gamma variables" (2000).
  public mutating func logGamma(shape: Double) -> Double {
    precondition(shape > 0, "the shape \(shape) is not positive")
    if shape < 1 {
      let boost = Foundation.log(1 - uniformDouble()) / shape
      return logGamma(shape: shape + 1) + boost
    }
    let d = shape - 1 / 3.0
    let c = 1 / (9 * d).squareRoot()
    while true {
      let x = normal()
      let root = 1 + c * x
      guard root > 0 else { continue }
      let v = root * root * root
      if Foundation.log(1 - uniformDouble()) < 0.5 * x * x + d - d * v + d * Foundation.log(v) {
        return Foundation.log(d) + Foundation.log(v)
      }
    }
  }

  /// Proportions of `count` parts, drawn from the symmetric Dirichlet(`concentration`); they sum to 1.
  public mutating func dirichlet(concentration: Double, count: Int) -> [Double] {
    let logarithms = (0..<count).map { _ in logGamma(shape: concentration) }
    let largest = logarithms.max() ?? 0
    let weights = logarithms.map { Foundation.exp($0 - largest) }
    let sum = weights.reduce(0, +)
    return weights.map { $0 / sum }
  }

  /// Puts `elements` in random order (Fisher and Yates, from the end).
  public mutating func shuffle<Element>(_ elements: inout [Element]) {
    for last in stride(from: elements.count - 1, to: 0, by: -1) {
      elements.swapAt(last, uniformInteger(below: last + 1))
    }
  }

  /// `count` of `0..<population` without repetition, in ascending order.
  public mutating func sample(_ count: Int, of population: Int) -> [Int] {
    precondition((0...population).contains(count), "cannot draw \(count) of \(population)")
    // The first steps of a shuffle of the whole population, of which only what moved is kept.
    var moved: [Int: Int] = [:]
    let drawn = (0..<count).map { first in
      let other = first + uniformInteger(below: population - first)
      defer { moved[other] = moved[first] ?? first }
      return moved[other] ?? other
    }
    return drawn.sorted()
  }
}
