/// How many rows of each label (for generation: group) every client trains on and keeps back.
public struct PartitionTable: Sendable, Equatable {
  /// The counts of one client, by label; a single count of all its rows where there are no labels.
  public struct Entry: Sendable, Equatable {
    public let client: Int
    public let train: [Int]
    public let heldOut: [Int]
  }

  public let labelNames: [String]
  public let entries: [Entry]

  /// - Parameters:
  ///   - labels: The label of every row of the split, an index of `labelNames`; nil when rows have none.
  public init(shards: [ClientShard], labels: [Int32]?, labelNames: [String]) {
    func counts(_ rows: [Int]) -> [Int] {
      guard let labels else { return [rows.count] }
      var counts = [Int](repeating: 0, count: labelNames.count)
      for row in rows { counts[Int(labels[row])] += 1 }
      return counts
    }
    self.labelNames = labels == nil ? [] : labelNames
    entries = shards.map {
      Entry(client: $0.id, train: counts($0.trainRows), heldOut: counts($0.heldOutRows))
    }
  }

  /// Comma-separated values: one line for each client and part, then the number of rows of each label and of all.
  public var csv: String {
    lines(of: entries[...]).map { $0.map(quotedIfNeeded).joined(separator: ",") + "\n" }.joined()
  }

  /// The same in aligned columns, of many clients the first ones alone, and the sums over clients.
  public var text: String {
    let shown = entries.prefix(Self.shownClientCount)
    let lines = lines(of: shown) + [sumLine("train", \.train), sumLine("heldOut", \.heldOut)]
    let widths = lines[0].indices.map { column in lines.map { $0[column].count }.max()! }
    return lines.map { line in
      let cells = line.indices.map { column in
        let space = String(repeating: " ", count: widths[column] - line[column].count)
        // Words to the left, numbers to the right.
        return column < 2 ? line[column] + space : space + line[column]
      }
      return cells.joined(separator: "  ") + "\n"
    }.joined() + (shown.count < entries.count ? "the first \(shown.count) of \(entries.count) clients\n" : "")
  }

  private static let shownClientCount = 32

  private func lines(of entries: ArraySlice<Entry>) -> [[String]] {
    [["client", "part"] + labelNames + ["rows"]]
      + entries.flatMap { entry in
        [
          line(String(entry.client), "train", entry.train),
          line(String(entry.client), "heldOut", entry.heldOut),
        ]
      }
  }

  private func sumLine(_ part: String, _ counts: (Entry) -> [Int]) -> [String] {
    let columns = 0..<max(labelNames.count, 1)
    return line("all", part, columns.map { column in entries.reduce(0) { $0 + counts($1)[column] } })
  }

  private func line(_ client: String, _ part: String, _ counts: [Int]) -> [String] {
    [client, part] + (labelNames.isEmpty ? [] : counts.map(String.init)) + [String(counts.reduce(0, +))]
  }
}

/// A value as RFC 4180 wants it: in quotes when it holds a comma, a quote or a line break.
private func quotedIfNeeded(_ value: String) -> String {
  guard value.contains(where: { ",\"\r\n".contains($0) }) else { return value }
  return "\"" + value.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"")
    + "\""
}
