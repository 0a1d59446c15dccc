internal import Adapters
internal import ClientData
internal import MPI
internal import Telemetry
internal import Transformer

/// The chunks of a split, dealt around the ranks.
struct DealtChunks: Sendable {
  let all: [[Int]]

  /// Those of `rank`: every `size`-th one, so that long and short rows are spread evenly.
  func of(rank: Int, size: Int) -> [[Int]] {
    stride(from: rank, to: all.count, by: size).map { all[$0] }
  }

  /// What each rank made of its chunks, put back in the order of all chunks.
  func inOrder<Element>(_ byRank: [[Element]]) -> [Element] {
    all.indices.map { byRank[$0 % byRank.count][$0 / byRank.count] }
  }
}

extension Communicator {
  /// The metrics of all chunks, from each rank's tallies of its own; nil off the root. The tallies are
  /// summed in the order of chunks, so that the number of ranks changes no bit.
  func metrics(
    _ own: [Tally], of chunks: DealtChunks, _ kind: Tally.Kind, to root: Int
  ) throws(MPIError) -> Metrics? {
    guard let gathered = try gatherArrays(own.flatMap(\.numbers), to: root) else { return nil }
    let tallies = gathered.map { $0.chunked(by: kind.numberCount).map { Tally(kind, numbers: $0) } }
    return chunks.inOrder(tallies).sum(kind).metrics
  }
}

extension Communicator {
  /// A line for every row of all chunks, in the order of rows, from each rank's lines of its own chunks; nil off the
  /// root.
  func lines(_ own: [[String]], of chunks: DealtChunks, to root: Int) throws(MPIError) -> [String]? {
    let text = own.joined().map { $0 + "\n" }.joined()
    guard let gathered = try gatherStrings(text, to: root) else { return nil }
    var rest = gathered.map { $0.split(separator: "\n")[...] }
    var lines: [(row: Int, line: String)] = []
    for (index, rows) in chunks.all.enumerated() {
      for row in rows { lines.append((row, String(rest[index % rest.count].removeFirst()))) }
    }
    return lines.sorted { $0.row < $1.row }.map(\.line)
  }
}

extension Array {
  /// Consecutive slices of `count` elements.
  func chunked(by count: Int) -> [ArraySlice<Element>] {
    stride(from: 0, to: self.count, by: count).map { self[$0..<Swift.min($0 + count, self.count)] }
  }
}
