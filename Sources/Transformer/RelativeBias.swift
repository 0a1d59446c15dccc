internal import LinearAlgebra

/// A term of attention's scores that depends on head and distance of query and key alone (Raffel et al. 2020, §2.1),
/// in the buckets of T5 and MPNet: every distance below 8 has its own, those from 8 to 127 share eight by their
/// logarithm, all beyond share the last of these; before and after are apart. Frozen.
struct RelativeBias: Sendable {
  static let bucketCount = 32

  /// Positions that a sequence can have.
  private let positionCount: Int
  /// For every head the terms of the distances from `1 - positionCount` to `positionCount - 1`.
  private let terms: [Float]

  /// `table` is bucketCount × heads.
  init(_ table: FrozenMatrix, positionCount: Int) {
    self.positionCount = positionCount
    let heads = table.columns
    let width = 2 * positionCount - 1
    var terms = [Float](repeating: 0, count: heads * width)
    var row = [Float](repeating: 0, count: heads)
    for index in 0..<width {
      row.withUnsafeMutableBufferPointer {
        table.copyRow(Self.bucket(distance: index - (positionCount - 1)), to: $0.baseAddress!)
      }
      for head in 0..<heads { terms[head * width + index] = row[head] }
    }
    self.terms = terms
  }

  /// The bucket of a key that stands `distance` behind the query, before it where that is negative.
  static func bucket(distance: Int) -> Int {
    let (half, exact) = (bucketCount / 2, bucketCount / 4)
    let length = abs(distance)
    // 8 + ⌊8 log₁₆(n / 8)⌋ = 8 + ⌊log₂(n² / 64)⌋, in whole numbers so that no rounding moves a border.
    let own = length < exact ? length : exact + (length * length / 64).logarithm
    return min(own, half - 1) + (distance > 0 ? half : 0)
  }

  /// Lends a head's terms for a sequence of `keyCount` tokens: the pointer is to that of distance 0.
  func withTerms<Result>(
    ofHead head: Int, keyCount: Int, _ body: (UnsafePointer<Float>) -> Result
  ) -> Result {
    precondition(keyCount <= positionCount, "\(keyCount) tokens for \(positionCount) positions")
    return terms.withUnsafeBufferPointer {
      body($0.baseAddress! + head * (2 * positionCount - 1) + positionCount - 1)
    }
  }
}

extension Int {
  /// ⌊log₂⌋ of a positive number.
  fileprivate var logarithm: Int { Int.bitWidth - 1 - leadingZeroBitCount }
}
