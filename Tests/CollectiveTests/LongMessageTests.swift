import Foundation
@testable import MPI
import Testing

extension CollectiveTests {
  /// Messages beyond the limit up to which MPI is told a number of elements: first under a limit of few
  /// elements, where everything can be compared; then once at 3 GiB.
  @MainActor @Suite struct LongMessages {
    private func withLimit(_ limit: Int, _ body: () throws -> Void) rethrows {
      world.odometer.elementLimit = limit
      defer { world.odometer.elementLimit = Int(Int32.max) }
      try body()
    }

    /// A block of the derived type has 2²⁰ elements: less than one block, some, and some with a rest.
    @Test(arguments: [5, 1 << 20, 3 << 20, 2 << 20 + 7]) func aBroadcastIsWhole(count: Int) throws {
      try withLimit(4) {
        var array = [Int32](repeating: -1, count: count)
        if world.rank == world.size - 1 { array = (0..<Int32(count)).map { $0 &* 7 } }
        try world.broadcast(&array, from: world.size - 1)
        #expect(array.indices.allSatisfy { array[$0] == Int32($0) &* 7 })
      }
    }

    @Test(arguments: [5, 1 << 20 + 3]) func gathersAreWhole(count: Int) throws {
      let part = (0..<count).map { Double(world.rank * count + $0) }
      let all = (0..<world.size * count).map { Double($0) }
      try withLimit(4) {
        let (atRoot, everywhere) = (try world.gather(part, to: 0), try world.allgather(part))
        #expect(atRoot == (world.rank == 0 ? all : nil) && everywhere == all)
      }
    }

    @Test func unevenGathersAreWhole() throws {
      let parts = (0..<world.size).map { rank in (0...10 * rank).map { Float(100 * rank + $0) } }
      let layout = RankLayout(counts: parts.map(\.count))
      try withLimit(3) {
        for root in 0..<world.size {
          let (whole, moved) = try world.counting {
            try world.gather(parts[world.rank], layout: layout, to: root)
          }
          #expect(whole == (world.rank == root ? parts.flatMap { $0 } : nil))
          #expect(
            moved
              == .gather(
                4 * parts[world.rank].count, of: 4 * layout.totalCount, isRoot: world.rank == root))
        }
        let everywhere = try world.allgather(parts[world.rank], layout: layout)
        #expect(everywhere == parts.flatMap { $0 })
      }
    }

    @Test func transfersUnderWayAreWhole() throws {
      let parts = (0..<world.size).map { rank in (0...10 * rank).map { Float(100 * rank + $0) } }
      let layout = RankLayout(counts: parts.map(\.count))
      var whole = [Float](zeroCount: world.rank == 0 ? layout.totalCount : 0)
      var message = (0..<50).map { Float(world.rank == 0 ? $0 : -1) }
      let before = world.transferred
      try withLimit(3) {
        try whole.withMutableMPIBuffer { whole throws(MPIError) in
          try message.withMutableMPIBuffer { message throws(MPIError) in
            try parts[world.rank].withMPIBuffer { part throws(MPIError) in
              let gather = try world.startGather(
                part, layout: layout, into: world.rank == 0 ? whole : nil, to: 0)
              let broadcast = try world.startBroadcast(message, from: 0)
              while try !gather.advance() {}
              try gather.wait()
              try broadcast.wait()
            }
          }
        }
      }
      let gathered = world.rank == 0 ? parts.flatMap { $0 } : []
      #expect(whole == gathered)
      #expect(message == (0..<50).map { Float($0) })
      let part = 4 * parts[world.rank].count
      let moved = Transfer.gather(part, of: 4 * layout.totalCount, isRoot: world.rank == 0)
      #expect(
        world.transferred - before == moved + .broadcast(200, isRoot: world.rank == 0, size: world.size))
    }

    /// Rank s sends r + s elements to rank r: whether a rank's own layouts fit is another rank's secret.
    @Test(arguments: [0, 1, 2, 3, 100]) func exchangesAreWhole(limit: Int) throws {
      let (rank, ranks) = (world.rank, 0..<world.size)
      let layout = RankLayout(counts: ranks.map { $0 + rank })
      let parts = ranks.flatMap { [Int64](repeating: Int64(10 * rank + $0), count: $0 + rank) }
      let expected = ranks.flatMap { [Int64](repeating: Int64(10 * $0 + rank), count: $0 + rank) }
      try withLimit(limit) {
        let whole = try world.alltoall(parts, layout, receiving: layout)
        #expect(whole == expected)
      }
    }

    @Test func reductionsAreTheSameInPieces() throws {
      let array = (0..<100).map { Float($0 * world.rank) }
      let sum = (0..<100).map { Float($0 * (world.size - 1) * world.size / 2) }
      try withLimit(7) {
        let atRoot = try world.reduce(array, .sum, to: 0)
        #expect(atRoot == (world.rank == 0 ? sum : nil))
        var everywhere = array
        try world.allreduce(&everywhere, .sum)
        #expect(everywhere == sum)
      }
    }

    @Test(.enabled("needs a second rank") { @MainActor in world.size > 1 })
    func messagesBetweenTwoRanksAreWhole() throws {
      let sent = (0..<Int64(1 << 20 + 5)).map { $0 * $0 }
      try withLimit(2) {
        if world.rank == 0 { try world.send(sent, to: 1) }
        if world.rank == 1 {
          let (array, envelope) = try world.receiveArray(of: Int64.self, from: nil)
          #expect(array == sent && envelope.source == 0 && envelope.count == sent.count)
        }
      }
    }

    /// 3 GiB of bytes are more than 2³¹ elements; as floats fewer elements, but more than 2 GiB.
    @Test(
      .enabled("needs two ranks and 14 GiB of free memory") { @MainActor in
        world.size == 2 && availableMemory > 14 << 30
      })
    func threeGibibytesArriveWhole() throws {
      try expectGather(
        try expectBroadcast(3 << 30, of: UInt8.self) { UInt8(truncatingIfNeeded: $0 &* 31 + 7) })
      _ = try expectBroadcast(3 << 28, of: Float.self) { Float($0 % 1001) }
    }

    /// The ends of the derived type's blocks stand for all elements; the rest is 0, which costs no seconds to
    /// write in a debug build.
    private func places(in count: Int) -> [Int] {
      stride(from: 0, to: count, by: 1 << 20).flatMap { [$0, $0 + (1 << 20) - 1] } + [count - 1]
    }

    private func expectBroadcast<T: MPIDatatype & Equatable>(
      _ count: Int, of: T.Type, _ value: (Int) -> T
    ) throws -> [T] {
      var array = [T](zeroCount: count)
      if world.rank == 0 { for place in places(in: count) { array[place] = value(place) } }
      try world.broadcast(&array, from: 0)
      #expect(places(in: count).allSatisfy { array[$0] == value($0) })
      return array
    }

    /// Rank 1's one element lies behind all of rank 0's.
    private func expectGather(_ array: [UInt8]) throws {
      let layout = RankLayout(counts: [array.count, 1])
      let whole = try world.gather(world.rank == 0 ? array : [5], layout: layout, to: 0)
      #expect((whole != nil) == (world.rank == 0))
      guard let whole else { return }
      #expect(places(in: array.count).allSatisfy { whole[$0] == array[$0] } && whole[array.count] == 5)
    }
  }
}

/// Bytes that can be had without swapping.
private let availableMemory: Int = {
  let text = (try? String(contentsOfFile: "/proc/meminfo", encoding: .utf8)) ?? ""
  let line = text.split(separator: "\n").first { $0.hasPrefix("MemAvailable:") }
  return (line?.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0) << 10
}()
