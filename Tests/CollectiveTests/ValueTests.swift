@testable import MPI
import Testing

/// What needs no started MPI.
@Suite struct ValueTests {
  @Test func aLayoutPutsTheRanksOneAfterTheOther() throws {
    let layout = RankLayout(counts: [2, 0, 3])
    #expect((0..<3).map(layout.range) == [0..<2, 2..<2, 2..<5])
    #expect(layout.totalCount == 5 && layout.rankCount == 3)
    #expect(layout.split(["a", "b", "c", "d", "e"]) == [["a", "b"], [], ["c", "d", "e"]])
  }

  @Test(arguments: [[1 << 31], [1, 1 << 32], [1 << 30, 1 << 30, 1]])
  func aLayoutBeyond32BitsSaysSo(counts: [Int]) {
    let layout = RankLayout(counts: counts)
    #expect(!layout.fits(Int(Int32.max)) && layout.totalCount == counts.reduce(0, +))
    #expect(layout.range(of: counts.count - 1).upperBound == layout.totalCount)
  }

  @Test func theLastRanksEndMayLieBeyond32Bits() throws {
    let layout = RankLayout(counts: [1 << 30, 1 << 30 - 1, 1 << 30])
    #expect(layout.totalCount == 3 << 30 - 1)
    #expect(layout.range(of: 2).lowerBound == Int(Int32.max) && layout.fits(Int(Int32.max)))
  }

  @Test func transfersAddAndSubtract() {
    let a = Transfer(sentByteCount: 5, receivedByteCount: 7)
    let b = Transfer(sentByteCount: 2, receivedByteCount: 3)
    #expect(a - b == Transfer(sentByteCount: 3, receivedByteCount: 4))
    #expect((a - b) + b == a)
  }

  @Test(arguments: 1...5) func whatIsSentIsReceived(size: Int) {
    let ranks = 0..<size
    let own = ranks.map { 10 * $0 + 1 }
    let total = own.reduce(0, +)
    expectConserved(ranks.map { .broadcast(8, isRoot: $0 == 2 % size, size: size) })
    expectConserved(ranks.map { .gather(own[$0], of: total, isRoot: $0 == 0) })
    expectConserved(ranks.map { .allgather(own[$0], of: total, size: size) })
    expectConserved(ranks.map { .reduce(8, isRoot: $0 == 0, size: size) })
    expectConserved(ranks.map { .allreduce(8, rank: $0, size: size) })
  }

  @Test func oneRankMovesNothing() {
    #expect(Transfer.broadcast(8, isRoot: true, size: 1) == Transfer())
    #expect(Transfer.gather(8, of: 8, isRoot: true) == Transfer())
    #expect(Transfer.allreduce(8, rank: 0, size: 1) == Transfer())
  }

  private func expectConserved(_ transfers: [Transfer]) {
    let sum = transfers.reduce(Transfer(), +)
    #expect(sum.sentByteCount == sum.receivedByteCount)
  }
}
