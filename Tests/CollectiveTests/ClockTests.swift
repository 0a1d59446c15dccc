import Foundation
import MPI
import Testing

extension CollectiveTests {
  @MainActor @Suite struct Clocks {
    /// Clocks that are a hundred seconds apart, on one machine.
    @Test(arguments: [0, -1]) func offsetsMakeEveryClockTheRoots(fromEnd: Int) throws {
      let root = (fromEnd + world.size) % world.size
      func clock() -> Double { ProcessInfo.processInfo.systemUptime + 100 * Double(world.rank) }
      let offset = try world.clockOffset(to: root, clock: clock)
      #expect(abs(offset - 100 * Double(root - world.rank)) < 1)
      #expect(world.rank != root || offset == 0)
    }
  }
}
