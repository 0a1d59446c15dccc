internal import CMPI

/// How many elements each rank contributes to a whole, which holds them one rank after the other.
///
/// Made once and reused, so that a gather in a loop allocates nothing.
public struct RankLayout: Equatable, Sendable {
  let cCounts: [Int32]
  let cOffsets: [Int32]
  /// The number of elements of all ranks together.
  public let totalCount: Int

  /// The layout of `counts[rank]` elements a rank. Throws when the whole has more elements than MPI can
  /// address with 32 bits.
  public init(counts: [Int]) throws(MPIError) {
    precondition(counts.allSatisfy { $0 >= 0 }, "counts per rank of \(counts)")
    var offset = 0
    var cCounts: [Int32] = []
    var cOffsets: [Int32] = []
    for count in counts {
      cCounts.append(try cCount(count, "MPI_Gatherv"))
      cOffsets.append(try cCount(offset, "MPI_Gatherv"))
      offset += count
    }
    self.cCounts = cCounts
    self.cOffsets = cOffsets
    self.totalCount = offset
  }

  public var rankCount: Int { cCounts.count }

  /// Where the elements of `rank` lie in the whole.
  public func range(of rank: Int) -> Range<Int> {
    let start = Int(cOffsets[rank])
    return start..<start + Int(cCounts[rank])
  }

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
