extension DatasetSplit {
  /// Rows cut into chunks of at most `size`, in ascending order of length so that a chunk's rows cost alike.
  ///
  /// A pure function of the data: how chunks are spread over ranks does not change what a chunk holds.
  /// - Parameter rows: The rows to evaluate; all when nil. Rows of one length keep this order.
  public func evaluationChunks(of rows: [Int]? = nil, size: Int) -> [[Int]] {
    precondition(size > 0, "the chunk size \(size) is not positive")
    // The standard library does not promise a stable sort; the place in `rows` decides between equal lengths.
    let ordered = (rows ?? Array(0..<rowCount)).enumerated()
      .sorted { (length(ofRow: $0.element), $0.offset) < (length(ofRow: $1.element), $1.offset) }
      .map(\.element)
    return stride(from: 0, to: ordered.count, by: size).map {
      Array(ordered[$0..<min($0 + size, ordered.count)])
    }
  }
}
