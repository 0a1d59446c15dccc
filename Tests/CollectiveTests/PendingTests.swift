@testable import MPI
import Testing

extension CollectiveTests {
  @MainActor @Suite struct Pending {
    @Test(arguments: [1, 1000, 100_000]) func twoBroadcastsAndAGatherAtOnce(count: Int) throws {
      var first = (0..<count).map { Float(world.rank == 0 ? $0 : -1) }
      var second = (0..<count).map { Int32(world.rank == world.size - 1 ? $0 : -1) }
      let part = [Double](repeating: Double(world.rank), count: world.rank + count)
      let layout = RankLayout(counts: (0..<world.size).map { $0 + count })
      var whole = [Double](zeroCount: world.rank == 0 ? layout.totalCount : 0)
      let before = world.transferred
      try first.withMutableMPIBuffer { first throws(MPIError) in
        try second.withMutableMPIBuffer { second throws(MPIError) in
          try whole.withMutableMPIBuffer { whole throws(MPIError) in
            try part.withMPIBuffer { part throws(MPIError) in
              let a = try world.startBroadcast(first, from: 0)
              let b = try world.startGather(part, layout: layout, into: world.rank == 0 ? whole : nil, to: 0)
              let c = try world.startBroadcast(second, from: world.size - 1)
              while try !b.advance() {}
              try c.wait()
              try b.wait()
              try a.wait()
            }
          }
        }
      }
      #expect(first == (0..<count).map { Float($0) } && second == (0..<count).map { Int32($0) })
      if world.rank == 0 {
        #expect(whole == (0..<world.size).flatMap { [Double](repeating: Double($0), count: $0 + count) })
      }
      let expected =
        Transfer.broadcast(4 * count, isRoot: world.rank == 0, size: world.size)
        + .broadcast(4 * count, isRoot: world.rank == world.size - 1, size: world.size)
        + .gather(8 * part.count, of: 8 * layout.totalCount, isRoot: world.rank == 0)
      #expect(world.transferred - before == expected)
    }

    @Test func everyRankGetsItsPartOfEveryOther() throws {
      // Rank s sends r + 1 elements to rank r.
      let sent = RankLayout(counts: (0..<world.size).map { $0 + 1 })
      let received = RankLayout(counts: [Int](repeating: world.rank + 1, count: world.size))
      let parts = (0..<world.size).flatMap { [Int64](repeating: Int64(10 * world.rank + $0), count: $0 + 1) }
      let (whole, moved) = try world.counting { try world.alltoall(parts, sent, receiving: received) }
      #expect(
        whole
          == (0..<world.size).flatMap {
            [Int64](repeating: Int64(10 * $0 + world.rank), count: world.rank + 1)
          })
      #expect(moved.sentByteCount == 8 * (sent.totalCount - world.rank - 1))
      #expect(moved.receivedByteCount == 8 * (world.size - 1) * (world.rank + 1))
    }
  }
}
