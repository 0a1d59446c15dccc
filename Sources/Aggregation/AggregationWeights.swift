/// How much each client of a cohort counts.
public enum Weighting: String, Sendable, CaseIterable {
  /// `1/U`
  case uniform
  /// `n_u / Σ n`
  case examples
}

/// The weights `p_u` of a cohort, in its order; they sum to one over the clients that took part.
///
/// `exampleCounts` are the numbers of training examples of those clients and no others. Fails on an
/// empty cohort and, with `.examples`, on a negative count or when nobody has an example.
public func aggregationWeights(
  _ weighting: Weighting, exampleCounts: [Int]
) throws(AggregationError) -> [Double] {
  guard !exampleCounts.isEmpty else { throw .emptyCohort }
  switch weighting {
  case .uniform:
    return [Double](repeating: 1 / Double(exampleCounts.count), count: exampleCounts.count)
  case .examples:
    for (client, count) in exampleCounts.enumerated() where count < 0 {
      throw .invalidExampleCount(client: client, count: count)
    }
    let total = exampleCounts.reduce(0, +)
    guard total > 0 else { throw .invalidExampleCount(client: 0, count: 0) }
    return exampleCounts.map { Double($0) / Double(total) }
  }
}
