internal import Randomness

/// The rows of one client: those it trains on and those it keeps back for its own evaluation.
public struct ClientShard: Sendable, Equatable {
  public let id: Int
  /// Ascending; at least one.
  public let trainRows: [Int]
  /// Ascending; disjoint from `trainRows`.
  public let heldOutRows: [Int]
}

extension Partition {
  /// Every client's rows with the fraction `heldOut` of them kept back, drawn at random.
  ///
  /// The number is rounded to nearest; of two rows or more at least one is kept back and one trained on. A single
  /// row is trained on. A fraction of 0 keeps nothing back.
  public func shards(heldOut: Double, seed: UInt64) throws(ClientDataError) -> [ClientShard] {
    guard heldOut >= 0, heldOut < 1 else { throw ClientDataError(partition: .invalidHeldOut(found: heldOut)) }
    return rows.enumerated().map { client, rows in
      var stream = RandomStream(RandomKey(seed: seed, purpose: .heldOut, client: client))
      let count = heldOutCount(of: rows.count, fraction: heldOut)
      let chosen = Set(stream.sample(count, of: rows.count))
      return ClientShard(
        id: client,
        trainRows: rows.indices.filter { !chosen.contains($0) }.map { rows[$0] },
        heldOutRows: chosen.sorted().map { rows[$0] })
    }
  }
}

private func heldOutCount(of rowCount: Int, fraction: Double) -> Int {
  guard fraction > 0, rowCount >= 2 else { return 0 }
  return min(max(Int((fraction * Double(rowCount)).rounded()), 1), rowCount - 1)
}
