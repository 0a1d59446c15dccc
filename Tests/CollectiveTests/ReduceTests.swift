import MPI
import Testing

extension CollectiveTests {
  @MainActor @Suite struct Reduce {
    private var size: Int { world.size }

    @Test func sumsMinimaAndMaximaAreTakenByElement() throws {
      let part = [Int64(world.rank), -Int64(world.rank)]
      let last = Int64(size - 1)
      let sum = Int64(size * (size - 1) / 2)
      for (reduction, expected) in [
        (Reduction.sum, [sum, -sum]), (.minimum, [0, -last]), (.maximum, [last, 0]),
      ] {
        #expect(try world.reduce(part, reduction, to: 0) == (world.rank == 0 ? expected : nil))
        var everywhere = part
        try world.allreduce(&everywhere, reduction)
        #expect(everywhere == expected)
      }
    }

    @Test func oneNumberIsReducedToo() throws {
      let rank = Double(world.rank)
      #expect(try world.reduce(rank, .maximum, to: size - 1) == (world.rank == size - 1 ? rank : nil))
      #expect(try world.allreduce(rank, .maximum) == Double(size - 1))
    }

    @Test func nothingReducesToNothing() throws {
      #expect(try world.reduce([Float](), .sum, to: 0) == (world.rank == 0 ? [] : nil))
      var none: [Float] = []
      try world.allreduce(&none, .sum)
      #expect(none.isEmpty)
    }

    @Test func everyRankHasTheSameBits() throws {
      var parts = (0..<257).map { 1 / Float($0 + 3 * world.rank + 1) }
      try world.allreduce(&parts, .sum)
      let bits = try world.allgather(parts.map { Int32(bitPattern: $0.bitPattern) })
      for rank in 0..<size {
        #expect(bits[rank * 257..<(rank + 1) * 257].elementsEqual(bits[0..<257]))
      }
    }
  }

  @MainActor @Suite struct Conservation {
    /// For every operation, what the ranks sent is what the ranks received.
    @Test func whatIsSentIsReceived() throws {
      try expectConserved { try world.broadcast(&$0, from: world.size - 1) }
      try expectConserved { _ = try world.gather($0, to: 0) }
      try expectConserved { _ = try world.gatherArrays($0 + $0, to: world.size - 1) }
      try expectConserved { _ = try world.allgather($0) }
      try expectConserved { _ = try world.allgatherArrays(Array($0.prefix(world.rank))) }
      try expectConserved { _ = try world.reduce($0, .sum, to: world.size - 1) }
      try expectConserved { try world.allreduce(&$0, .sum) }
      try expectConserved { try world.broadcastArray(&$0, from: 0) }
    }

    private func expectConserved(_ operation: (inout [Double]) throws -> Void) throws {
      var array = [1.0, 2.0, 3.0]
      let before = world.transferred
      try operation(&array)
      let moved = world.transferred - before
      let sent = try world.allreduce(Int64(moved.sentByteCount), .sum)
      let received = try world.allreduce(Int64(moved.receivedByteCount), .sum)
      #expect(sent == received)
      #expect((sent > 0) == (world.size > 1))
    }
  }
}
