/// The valid name that `name` was most likely meant to be; nil if none is near.
///
/// Near means an edit distance of at most two, or of at most half of the name's length. Upper case does not count.
public func nearestName(to name: String, among valid: [String]) -> String? {
  let distances = valid.map { editDistance(name.lowercased(), $0.lowercased()) }
  guard let least = distances.min(), least <= max(2, name.count / 2) else { return nil }
  guard least < name.count else { return nil }
  return valid[distances.firstIndex(of: least)!]
}

/// Levenshtein's distance: insertions, deletions and replacements of one character that turn `a` into `b`.
func editDistance(_ a: String, _ b: String) -> Int {
  let target = Array(b)
  var row = Array(0...target.count)
  for (i, character) in a.enumerated() {
    var diagonal = row[0]
    row[0] = i + 1
    for j in target.indices {
      let replaced = diagonal + (character == target[j] ? 0 : 1)
      diagonal = row[j + 1]
      row[j + 1] = min(replaced, row[j] + 1, row[j + 1] + 1)
    }
  }
  return row[target.count]
}
