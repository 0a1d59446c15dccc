import MPI
import Testing

extension CollectiveTests {
  @MainActor @Suite struct Split {
    @Test func evenAndOddRanksFormGroups() throws {
      let color = world.rank % 2
      let members = (0..<world.size).filter { $0 % 2 == color }
      let seen = try world.withSplit(color: color) { group in
        #expect(group.size == members.count)
        #expect(group.rank == world.rank / 2)
        return try group.allgather(Int32(world.rank))
      }
      #expect(seen == members.map { Int32($0) })
    }

    @Test func theKeyOrdersTheRanks() throws {
      let rank = try world.withSplit(color: 0, key: -world.rank) { $0.rank }
      #expect(rank == world.size - 1 - world.rank)
    }

    @Test func aRankMayStayOut() throws {
      let color: Int? = world.rank == 0 ? nil : 1
      let size = try world.withSplit(color: color) { $0.size }
      #expect(size == (world.rank == 0 ? nil : world.size - 1))
    }

    @Test func groupsNest() throws {
      let alone = try world.withSplit(color: 0) { group in
        try group.withSplit(color: group.rank) { $0.size }
      }
      #expect(alone == 1)
    }

    @Test func errorsOfAGroupReturn() throws {
      let error = errorThrown {
        try world.withSplit(color: 0) { group in _ = try group.gather([Float(1)], to: 99) }
      }
      #expect("\(try #require(error))".hasPrefix("MPI_Gather: MPI_ERR_ROOT"))
      try world.barrier()
    }

    @Test func theBytesOfAGroupCountInTheWhole() throws {
      let before = world.transferred
      try world.withSplit(color: 0) { group in
        var array: [Float] = [1, 2]
        try group.broadcast(&array, from: 0)
      }
      let moved = world.transferred - before
      #expect(moved.sentByteCount == (world.rank == 0 ? 8 * (world.size - 1) : 0))
      #expect(moved.receivedByteCount == (world.rank == 0 ? 0 : 8))
    }

    @Test func aNegativeColourIsRefused() throws {
      let error = errorThrown { try world.withSplit(color: -5) { _ in } }
      #expect("\(try #require(error))".hasPrefix("MPI_Comm_split: MPI_ERR_ARG: a colour of -5"))
    }
  }
}
