/// Spearman's rank correlation of pairs, with mean ranks for ties; nil for fewer than three pairs and where
/// one side is constant.
///
/// Source: Spearman (1904): Pearson's correlation of the ranks.
public func rankCorrelation(_ pairs: [(Double, Double)]) -> Double? {
  guard pairs.count >= 3 else { return nil }
  let (x, y) = (ranks(pairs.map(\.0)), ranks(pairs.map(\.1)))
  let mean = Double(pairs.count + 1) / 2
  func sum(_ a: [Double], _ b: [Double]) -> Double {
    zip(a, b).reduce(0) { $0 + ($1.0 - mean) * ($1.1 - mean) }
  }
  let spread = (sum(x, x) * sum(y, y)).squareRoot()
  return spread > 0 ? sum(x, y) / spread : nil
}

/// The rank of each value from 1; equal values share the mean of theirs.
private func ranks(_ values: [Double]) -> [Double] {
  let order = values.indices.sorted { values[$0] < values[$1] }
  var result = [Double](repeating: 0, count: values.count)
  var start = 0
  while start < order.count {
    var end = start + 1
    while end < order.count, values[order[end]] == values[order[start]] { end += 1 }
    for place in start..<end { result[order[place]] = Double(start + 1 + end) / 2 }
    start = end
  }
  return result
}
