import MPI
import Testing

extension CollectiveTests {
  @MainActor @Suite struct Gather {
    /// Rank r brings r + 1 elements, all equal to r.
    private var uneven: [Int32] { [Int32](repeating: Int32(world.rank), count: world.rank + 1) }
    private var unevenOfAll: [[Int32]] { (0..<world.size).map { .init(repeating: Int32($0), count: $0 + 1) } }
    private var unevenLayout: RankLayout {
      RankLayout(counts: (0..<world.size).map { $0 + 1 })
    }

    @Test(arguments: [0, -1]) func theRootHasAllPartsInOrder(fromEnd: Int) throws {
      let root = (fromEnd + world.size) % world.size
      let whole = try world.gather([Double(world.rank), 0.5], to: root)
      let expected = (0..<world.size).flatMap { [Double($0), 0.5] }
      #expect(whole == (world.rank == root ? expected : nil))
    }

    @Test func oneNumberARankIsGatheredToo() throws {
      let numbers = try world.gather(UInt64(world.rank) + (1 << 40), to: 0)
      let expected = (0..<world.size).map { UInt64($0) + (1 << 40) }
      #expect(numbers == (world.rank == 0 ? expected : nil))
    }

    @Test func unevenPartsLieAsTheLayoutSays() throws {
      let layout = unevenLayout
      let whole = try world.gather(uneven, layout: layout, to: 0)
      #expect(whole == (world.rank == 0 ? unevenOfAll.flatMap { $0 } : nil))
      #expect(try world.allgather(uneven, layout: layout) == unevenOfAll.flatMap { $0 })
      #expect(layout.range(of: world.size - 1).upperBound == layout.totalCount)
    }

    @Test func aRankMayBringNothing() throws {
      let part: [Float] = world.rank == 0 ? [] : [Float(world.rank)]
      let expected = (0..<world.size).map { $0 == 0 ? [] : [Float($0)] }
      #expect(try world.gatherArrays(part, to: 0) == (world.rank == 0 ? expected : nil))
      #expect(try world.allgatherArrays(part) == expected)
      #expect(try world.gather([Float](), to: 0) == (world.rank == 0 ? [] : nil))
      #expect(try world.allgather([Float]()) == [])
    }

    @Test func arraysOfUnknownLengthsStaySeparate() throws {
      #expect(try world.gatherArrays(uneven, to: 0) == (world.rank == 0 ? unevenOfAll : nil))
      #expect(try world.allgatherArrays(uneven) == unevenOfAll)
    }

    @Test func textsAreGathered() throws {
      let expected = (0..<world.size).map { String(repeating: "é", count: $0) }
      let text = expected[world.rank]
      #expect(try world.gatherStrings(text, to: 0) == (world.rank == 0 ? expected : nil))
      #expect(try world.allgatherStrings(text) == expected)
    }

    @Test func everyRankHasAllParts() throws {
      let whole = try world.allgather([Int64(world.rank), -1])
      #expect(whole == (0..<world.size).flatMap { [Int64($0), -1] })
    }

    @Test func theBufferIsFilledInPlace() throws {
      let part = [Float(world.rank)]
      var whole = [Float](repeating: -1, count: world.size)
      let isRoot = world.rank == 0
      try part.withUnsafeBufferPointer { part in
        try whole.withUnsafeMutableBufferPointer { whole in
          try world.gather(part, into: isRoot ? whole : nil, to: 0)
        }
      }
      #expect(whole == (0..<world.size).map { isRoot ? Float($0) : -1 })
    }

    @Test func theRootCountsWhatCameIn() throws {
      let even = try world.counting { try world.gather([Float](repeating: 1, count: 5), to: 0) }.transfer
      #expect(
        even
          == (world.rank == 0
            ? Transfer(receivedByteCount: 20 * (world.size - 1)) : Transfer(sentByteCount: 20)))
      let layout = unevenLayout
      let odd = try world.counting { try world.gather(uneven, layout: layout, to: 0) }.transfer
      let others = layout.totalCount - 1
      #expect(
        odd
          == (world.rank == 0
            ? Transfer(receivedByteCount: 4 * others) : Transfer(sentByteCount: 4 * uneven.count)))
    }
  }
}
