/// The spans of one rank and round, as many as a viewer can show: where they become more, all those of one phase that
/// begin within the same stretch of time are joined, and no second is lost.
public struct Timeline: Sendable {
  /// In the order in which they began; none overlaps another.
  public private(set) var spans: [TraceSpan] = []
  private let limit: Int
  /// Length of the stretches, in seconds; 0 while nothing is joined.
  private var resolution = 0.0

  /// At most `limit` spans are kept; twice as many as there are phases at least.
  public init(limit: Int) {
    precondition(limit >= 2 * Phase.allCases.count, "a timeline of \(limit) spans")
    self.limit = limit
  }

  /// Adds a span that begins after the end of all others.
  public mutating func append(_ span: TraceSpan) {
    if spans.count == limit { shorten() }
    spans.append(span)
  }

  /// Joins in ever longer stretches until half of the limit is free, so that it is not done again for each span.
  private mutating func shorten() {
    let seconds = spans.last!.start + spans.last!.seconds - spans[0].start
    resolution = max(resolution, seconds / Double(limit), .leastNormalMagnitude)
    spans = joined()
    while spans.count > limit / 2 {
      resolution *= 2
      spans = joined()
    }
  }

  private func joined() -> [TraceSpan] {
    var result: [TraceSpan] = []
    var open = spans[...]
    while let first = open.first {
      let stretch = self.stretch(of: first)
      let own = open.prefix { self.stretch(of: $0) == stretch }
      result += Self.byPhase(own)
      open = open.dropFirst(own.count)
    }
    return result
  }

  private func stretch(of span: TraceSpan) -> Double {
    ((span.start - spans[0].start) / resolution).rounded(.down)
  }

  /// One span a phase, in the order of their first ones. Where a phase returned after another had begun, the other's
  /// span is put behind the whole of it: that is before the end of the last, since no two overlap.
  private static func byPhase(_ spans: ArraySlice<TraceSpan>) -> [TraceSpan] {
    var result: [TraceSpan] = []
    for span in spans {
      if let index = result.firstIndex(where: { $0.phase == span.phase }) {
        result[index].seconds += span.seconds
        result[index].count += span.count
      } else {
        result.append(span)
      }
    }
    for index in result.indices.dropFirst() {
      let before = result[index - 1]
      result[index].start = max(result[index].start, before.start + before.seconds)
    }
    return result
  }
}
