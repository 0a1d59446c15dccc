/// Up to three of `candidates` that look most like `name`: the fewest edits, at most half its length.
func nearestNames(to name: String, among candidates: [String]) -> [String] {
  let wanted = Array(name.utf8)
  return
    candidates
    .map { (distance: editDistance(wanted, Array($0.utf8)), name: $0) }
    .filter { $0.distance <= wanted.count / 2 }
    .sorted { ($0.distance, $0.name) < ($1.distance, $1.name) }
    .prefix(3)
    .map(\.name)
}

/// The number of insertions, deletions and replacements that make `second` of `first` (Levenshtein).
private func editDistance(_ first: [UInt8], _ second: [UInt8]) -> Int {
  var row = Array(0...second.count)
  for (i, left) in first.enumerated() {
    var diagonal = row[0]
    row[0] = i + 1
    for (j, right) in second.enumerated() {
      let replaced = diagonal + (left == right ? 0 : 1)
      diagonal = row[j + 1]
      row[j + 1] = min(replaced, row[j] + 1, diagonal + 1)
    }
  }
  return row[second.count]
}
