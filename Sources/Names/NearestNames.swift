/// The valid names that `name` was most likely meant to be, nearest first, at most `limit`.
///
/// Near means an edit distance of at most two, or of at most half of the name's length, and of less than the
/// whole of it. Upper case does not count. Names that are equally near keep their order.
public func nearestNames(to name: String, among valid: [String], limit: Int) -> [String] {
  let wanted = Array(name.lowercased())
  return
    valid.enumerated()
    .map { (distance: editDistance(wanted, Array($1.lowercased())), index: $0, name: $1) }
    .filter { $0.distance <= max(2, wanted.count / 2) && $0.distance < wanted.count }
    .sorted { ($0.distance, $0.index) < ($1.distance, $1.index) }
    .prefix(limit)
    .map(\.name)
}

/// Levenshtein's distance: insertions, deletions and replacements of one character that turn `a` into `b`.
private func editDistance(_ a: [Character], _ b: [Character]) -> Int {
  var row = Array(0...b.count)
  for (i, left) in a.enumerated() {
    var diagonal = row[0]
    row[0] = i + 1
    for (j, right) in b.enumerated() {
      let replaced = diagonal + (left == right ? 0 : 1)
      diagonal = row[j + 1]
      row[j + 1] = min(replaced, row[j] + 1, diagonal + 1)
    }
  }
  return row[b.count]
}
