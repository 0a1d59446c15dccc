/// Bytes that one rank exchanged with *other* ranks: what stays on a rank is not counted.
///
/// The count is of what the operation must move, not of what the library's algorithm moves on the way
/// (a tree of a broadcast relays through ranks, a ring of a reduction cuts in pieces). An element that
/// goes to three ranks is sent three times. Summed over the ranks of a communicator, what was sent is
/// what was received, for every operation; at the root of a gather `receivedByteCount` is all that came
/// in, at the root of a broadcast `sentByteCount` is all that the others received.
public struct Transfer: Equatable, Hashable, Sendable {
  public var sentByteCount: Int
  public var receivedByteCount: Int

  public init(sentByteCount: Int = 0, receivedByteCount: Int = 0) {
    self.sentByteCount = sentByteCount
    self.receivedByteCount = receivedByteCount
  }

  public static func + (a: Transfer, b: Transfer) -> Transfer {
    Transfer(
      sentByteCount: a.sentByteCount + b.sentByteCount,
      receivedByteCount: a.receivedByteCount + b.receivedByteCount)
  }

  /// What was moved between the two states of a running total, `a` the later.
  public static func - (a: Transfer, b: Transfer) -> Transfer {
    Transfer(
      sentByteCount: a.sentByteCount - b.sentByteCount,
      receivedByteCount: a.receivedByteCount - b.receivedByteCount)
  }

  public static func += (a: inout Transfer, b: Transfer) { a = a + b }
}

extension Transfer {
  /// A broadcast of `byteCount` bytes: the root sends them to each other rank.
  public static func broadcast(_ byteCount: Int, isRoot: Bool, size: Int) -> Transfer {
    isRoot
      ? Transfer(sentByteCount: (size - 1) * byteCount)
      : Transfer(receivedByteCount: byteCount)
  }

  /// A gather in which this rank gives `ownByteCount` of `totalByteCount` bytes; the total matters at the
  /// root only.
  public static func gather(_ ownByteCount: Int, of totalByteCount: Int, isRoot: Bool) -> Transfer {
    isRoot
      ? Transfer(receivedByteCount: totalByteCount - ownByteCount)
      : Transfer(sentByteCount: ownByteCount)
  }

  /// A gather to all: each rank's part goes to each other rank.
  public static func allgather(_ ownByteCount: Int, of totalByteCount: Int, size: Int) -> Transfer {
    Transfer(
      sentByteCount: (size - 1) * ownByteCount, receivedByteCount: totalByteCount - ownByteCount)
  }

  /// A reduction of `byteCount` bytes a rank: each other rank sends its part to the root.
  public static func reduce(_ byteCount: Int, isRoot: Bool, size: Int) -> Transfer {
    .gather(byteCount, of: size * byteCount, isRoot: isRoot)
  }

  /// A reduction to all: a reduction to rank 0 and a broadcast back. A ring moves as much in total.
  public static func allreduce(_ byteCount: Int, rank: Int, size: Int) -> Transfer {
    .reduce(byteCount, isRoot: rank == 0, size: size)
      + .broadcast(byteCount, isRoot: rank == 0, size: size)
  }
}

/// What a communicator shares with those split from it. A communicator stays on the thread that calls MPI,
/// and so does this.
final class Odometer {
  /// The running total.
  var total = Transfer()
  /// The longest message that is told to MPI in elements; longer ones are one element of a derived type, or
  /// go in pieces. Tests lower it.
  var elementLimit = Int(Int32.max)
}
