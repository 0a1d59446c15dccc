@testable import MPI
import Testing

extension CollectiveTests {
  @MainActor @Suite(.enabled("needs a second rank") { @MainActor in world.size > 1 })
  struct PointToPoint {
    @Test func aMessageGoesFromFirstToLast() throws {
      let last = world.size - 1
      if world.rank == 0 { try world.send([1.5, 2.5] as [Float], to: last, tag: 3) }
      var array = [Float](repeating: 0, count: 4)
      var envelope: Envelope?
      if world.rank == last {
        envelope = try array.withUnsafeMutableBufferPointer { try world.receive(into: $0, from: 0, tag: 3) }
      }
      #expect(array == (world.rank == last ? [1.5, 2.5, 0, 0] : [0, 0, 0, 0]))
      #expect(envelope == (world.rank == last ? Envelope(source: 0, tag: 3, count: 2) : nil))
    }

    @Test func theLengthIsFoundOut() throws {
      let last = world.size - 1
      for count in [0, 1, 70_000] {
        let sent = (0..<count).map { Int64($0) }
        if world.rank == 0 { try world.send(sent, to: last) }
        if world.rank == last {
          let (array, envelope) = try world.receiveArray(of: Int64.self, from: nil)
          #expect(array == sent)
          #expect(envelope == Envelope(source: 0, tag: 0, count: count))
        }
      }
    }

    @Test func theBytesAreCountedOnBothSides() throws {
      let last = world.size - 1
      let before = world.transferred
      if world.rank == 0 { try world.send([1, 2, 3] as [Double], to: last) }
      if world.rank == last { _ = try world.receiveArray(of: Double.self, from: 0) }
      let moved = world.transferred - before
      #expect(moved.sentByteCount == (world.rank == 0 ? 24 : 0))
      #expect(moved.receivedByteCount == (world.rank == last ? 24 : 0))
    }

    @Test func aMessageLongerThanTheBufferIsAnError() throws {
      let last = world.size - 1
      if world.rank == 0 { try world.send([1, 2, 3] as [Int32], to: last) }
      if world.rank == last {
        var short: [Int32] = [0]
        let error = errorThrown {
          _ = try short.withUnsafeMutableBufferPointer { try world.receive(into: $0, from: 0) }
        }
        #expect("\(try #require(error))".hasPrefix("MPI_Recv: MPI_ERR_TRUNCATE"))
      }
    }

    @Test func aMessageOfPartsOfElementsIsAnError() throws {
      let last = world.size - 1
      if world.rank == 0 { try world.send([1, 2, 3] as [UInt8], to: last) }
      if world.rank == last {
        let error = errorThrown { _ = try world.receiveArray(of: Float.self, from: 0) }
        #expect("\(try #require(error))".contains("not a whole number of Float"))
        _ = try world.receiveArray(of: UInt8.self, from: 0)
      }
    }
  }
}
