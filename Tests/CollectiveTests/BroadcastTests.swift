import MPI
import Testing

extension CollectiveTests {
  @MainActor @Suite struct Broadcast {
    @Test(arguments: [0, -1]) func everyRankHasTheRootsArray(fromEnd: Int) throws {
      let root = (fromEnd + world.size) % world.size
      var array = [Float](repeating: Float(world.rank), count: 1000)
      if world.rank == root { array = (0..<1000).map { Float($0) + 0.25 } }
      try world.broadcast(&array, from: root)
      #expect(array == (0..<1000).map { Float($0) + 0.25 })
    }

    @Test func everyDatatypeArrivesBitForBit() throws {
      try expectBroadcast([Float.pi, -0.0, .infinity])
      try expectBroadcast([Double.pi, -.greatestFiniteMagnitude])
      try expectBroadcast([Int32.min, .max])
      try expectBroadcast([Int64.min, .max])
      try expectBroadcast([UInt8.min, .max])
      try expectBroadcast([UInt16.min, .max])
      try expectBroadcast([UInt64.min, .max])
    }

    private func expectBroadcast<T: MPIDatatype & Equatable & Numeric>(_ sent: [T]) throws {
      var array = world.rank == 0 ? sent : [T](repeating: 7, count: sent.count)
      try world.broadcast(&array, from: 0)
      #expect(array == sent)
    }

    @Test func aSpanAndANumberAreBroadcastToo() throws {
      var array = [Int32(world.rank), 5]
      var span = array.mutableSpan
      try world.broadcast(&span, from: 0)
      #expect(array == [0, 5])

      var number = world.rank == 0 ? 2.5 : 0
      try world.broadcast(&number, from: 0)
      #expect(number == 2.5)
    }

    @Test func anEmptyArrayIsNoError() throws {
      var array: [Double] = []
      let (_, transfer) = try world.counting { try world.broadcast(&array, from: 0) }
      #expect(array.isEmpty)
      #expect(transfer == Transfer())
    }

    @Test func anArrayOfUnknownLengthReplacesTheOthers() throws {
      let sent = (0..<300).map { UInt8($0 % 256) }
      var bytes = world.rank == 0 ? sent : [1, 2]
      try world.broadcastArray(&bytes, from: 0)
      #expect(bytes == sent)

      var empty: [UInt8] = world.rank == 0 ? [] : [1, 2]
      try world.broadcastArray(&empty, from: 0)
      #expect(empty.isEmpty)

      var text = world.rank == 0 ? "Übertragung ✓" : ""
      try world.broadcastString(&text, from: 0)
      #expect(text == "Übertragung ✓")
    }

    @Test func theRootCountsWhatTheOthersReceive() throws {
      var array = [Float](repeating: 0, count: 10)
      let (_, transfer) = try world.counting { try world.broadcast(&array, from: 0) }
      let expected =
        world.rank == 0
        ? Transfer(sentByteCount: 40 * (world.size - 1)) : Transfer(receivedByteCount: 40)
      #expect(transfer == expected)
    }
  }
}
