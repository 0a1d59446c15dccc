internal import CMPI

/// How many elements each rank contributes to a whole, which holds them one rank after the other.
///
/// Made once and reused, so that a gather in a loop allocates nothing.
public struct RankLayout: Equatable, Sendable {
  private let counts: [Int]
  private let offsets: [Int]
  /// What `MPI_Gatherv` takes; meaningless where the layout does not fit 32 bits.
  let cCounts: [Int32]
  let cOffsets: [Int32]
  /// The number of elements of all ranks together.
  public let totalCount: Int

  /// The layout of `counts[rank]` elements a rank.
  public init(counts: [Int]) {
    precondition(counts.allSatisfy { $0 >= 0 }, "counts per rank of \(counts)")
    var end = 0
    let offsets = counts.map { count in
      defer { end += count }
      return end
    }
    self.counts = counts
    self.offsets = offsets
    cCounts = counts.map { Int32(clamping: $0) }
    cOffsets = offsets.map { Int32(clamping: $0) }
    totalCount = end
  }

  public var rankCount: Int { counts.count }

  /// Where the elements of `rank` lie in the whole.
  public func range(of rank: Int) -> Range<Int> { offsets[rank]..<offsets[rank] + counts[rank] }

  /// Whether every count and every rank's offset is at most `limit`.
  func fits(_ limit: Int) -> Bool { (counts + offsets).allSatisfy { $0 <= limit } }

  /// The parts of a whole, one a rank.
  func split<Element>(_ whole: [Element]) -> [[Element]] {
    (0..<rankCount).map { Array(whole[range(of: $0)]) }
  }

  /// Traps unless this is a layout for `size` ranks in which `rank` brings `count` elements.
  func require(rank: Int, of size: Int, count: Int) {
    precondition(rankCount == size, "a layout of \(rankCount) ranks among \(size)")
    precondition(
      range(of: rank).count == count,
      "\(count) elements from rank \(rank), whose share in the layout is \(range(of: rank).count)")
  }
}
