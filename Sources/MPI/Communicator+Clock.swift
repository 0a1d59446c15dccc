extension Communicator {
  /// Seconds to add to this rank's `clock` to have the time of `root`'s clock. A collective operation.
  ///
  /// Every rank in its turn asks the root for its time, `rounds` times; the answer with the shortest way there
  /// and back counts, as if it had been given in the middle of it (Cristian's algorithm): the error is at most
  /// half of that time. Clocks drift by some microseconds a second besides.
  public func clockOffset(
    to root: Int, rounds: Int = 5, clock: () -> Double
  ) throws(MPIError) -> Double {
    var offset = 0.0
    for asking in 0..<size where asking != root {
      if rank == asking { offset = try ask(root, rounds, clock) }
      if rank == root { for _ in 0..<rounds { try answer(asking, clock) } }
    }
    return offset
  }

  private func ask(_ root: Int, _ rounds: Int, _ clock: () -> Double) throws(MPIError) -> Double {
    var best = (delay: Double.infinity, offset: 0.0)
    for _ in 0..<rounds {
      let start = clock()
      try send([start], to: root, tag: clockTag)
      let answer = try receiveArray(of: Double.self, from: root, tag: clockTag).array[0]
      let end = clock()
      if end - start < best.delay { best = (end - start, answer - (start + end) / 2) }
    }
    return best.offset
  }

  private func answer(_ asking: Int, _ clock: () -> Double) throws(MPIError) {
    _ = try receiveArray(of: Double.self, from: asking, tag: clockTag)
    try send([clock()], to: asking, tag: clockTag)
  }
}

/// The tag of questions for the time.
private let clockTag = 32766
