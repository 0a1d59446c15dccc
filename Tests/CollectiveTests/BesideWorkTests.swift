import Foundation
import MPI
import Testing

extension CollectiveTests {
  /// A thread that lets MPI go on while another computes.
  @MainActor @Suite struct BesideWorkTests {
    /// Rank 0 calls no MPI function until all other ranks have sent, which large messages do only while it
    /// takes part: without the thread none of them would ever leave its mark.
    @Test func largeMessagesTravelBesideWork() throws {
      let count = 4 << 20
      let folder = try world.rank == 0 ? Marks() : nil
      var path = Array((folder?.path ?? String(repeating: " ", count: Marks.length)).utf8)
      try world.broadcast(&path, from: 0)
      let marks = Marks(path: String(decoding: path, as: UTF8.self))
      let layout = RankLayout(counts: [Int](repeating: count, count: world.size))
      let part = UnsafeMutableBufferPointer<Float>.allocate(capacity: count)
      let whole =
        world.rank == 0 ? UnsafeMutableBufferPointer<Float>.allocate(capacity: layout.totalCount) : nil
      defer {
        part.deallocate()
        whole?.deallocate()
      }
      part.initialize(repeating: Float(world.rank))
      whole?.initialize(repeating: -1)
      let gather = try world.startGather(UnsafeBufferPointer(part), layout: layout, into: whole, to: 0)
      if world.rank == 0 {
        let isComplete = try world.progressing([gather]) { marks.wait(for: world.size - 1) }
        #expect(isComplete, "messages stopped while the root computed")
      }
      try gather.wait()
      if world.rank > 0 { try marks.leave(world.rank) }
      if let whole { #expect(whole.indices.allSatisfy { whole[$0] == Float($0 / count) }) }
      try world.barrier()
      try folder?.remove()
    }

    @Test func anErrorOfTheWorkIsThrownAndNothingIsLost() throws {
      let value = UnsafeMutableBufferPointer<Int32>.allocate(capacity: 1)
      defer { value.deallocate() }
      value.initialize(repeating: world.rank == 0 ? 7 : 0)
      let broadcast = try world.startBroadcast(value, from: 0)
      #expect(throws: CancellationError.self) {
        try world.progressing([broadcast]) { throw CancellationError() }
      }
      #expect(try world.progressing([]) { 3 } == 3)
      try broadcast.wait()
      #expect(value[0] == 7)
    }
  }
}

/// A folder in which ranks of one host leave marks: what they tell each other without MPI.
private struct Marks {
  let path: String

  /// Bytes of a path.
  static let length = Marks.newPath.utf8.count

  private static var newPath: String {
    FileManager.default.temporaryDirectory.appendingPathComponent("marks-\(UUID().uuidString)").path
  }

  init(path: String) { self.path = path }

  init() throws {
    path = Self.newPath
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
  }

  func leave(_ rank: Int) throws {
    try Data().write(to: URL(fileURLWithPath: path).appendingPathComponent("\(rank)"))
  }

  /// Whether there are `count` marks before a minute is over.
  func wait(for count: Int) -> Bool {
    for _ in 0..<6000 {
      if (try? FileManager.default.contentsOfDirectory(atPath: path))?.count == count { return true }
      Thread.sleep(forTimeInterval: 0.01)
    }
    return false
  }

  func remove() throws { try FileManager.default.removeItem(atPath: path) }
}
