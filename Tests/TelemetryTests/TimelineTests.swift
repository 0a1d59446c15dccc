import Telemetry
import Testing

@Suite struct TimelineTests {
  /// A round of clients that each train, are evaluated and packed, then what follows; 1 s, 0.25 s and 0.5 s of them
  /// with a gap of 0.25 s.
  private func timeline(clients: Int, limit: Int) -> Timeline {
    var timeline = Timeline(limit: limit)
    for client in 0..<clients {
      let start = Double(2 * client)
      timeline.append(TraceSpan(phase: .train, start: start, seconds: 1))
      timeline.append(TraceSpan(phase: .evaluate, start: start + 1, seconds: 0.25))
      timeline.append(TraceSpan(phase: .pack, start: start + 1.25, seconds: 0.5))
    }
    let end = Double(2 * clients)
    for (index, phase) in [Phase.wait, .gather, .estimate, .wait, .broadcast].enumerated() {
      timeline.append(TraceSpan(phase: phase, start: end + Double(index), seconds: 1))
    }
    return timeline
  }

  private func seconds(_ spans: [TraceSpan], _ phase: Phase) -> Double {
    spans.filter { $0.phase == phase }.reduce(0) { $0 + $1.seconds }
  }

  @Test func belowTheLimitEverySpanIsItself() {
    let spans = timeline(clients: 5, limit: 20).spans
    #expect(spans.count == 20 && spans.allSatisfy { $0.count == 1 })
    #expect(spans[3] == TraceSpan(phase: .train, start: 2, seconds: 1))
  }

  @Test(arguments: [6, 40, 10_000]) func beyondItNothingIsLostAndNothingOverlaps(clients: Int) {
    let spans = timeline(clients: clients, limit: 20).spans
    #expect(spans.count <= 20)
    #expect(spans.reduce(0) { $0 + $1.count } == 3 * clients + 5)
    let each = Double(clients)
    #expect(
      seconds(spans, .train) == each && seconds(spans, .evaluate) == each / 4
        && seconds(spans, .pack) == each / 2 && seconds(spans, .wait) == 2 && seconds(spans, .gather) == 1)
    #expect(zip(spans, spans.dropFirst()).allSatisfy { $0.start + $0.seconds <= $1.start })
    #expect(spans[0].start == 0 && spans.last!.start + spans.last!.seconds == 2 * each + 5)
  }

  /// Half of the limit at least is used, so that a round of many clients still shows its course.
  @Test func theTimelineStaysAsFineAsItCan() {
    let spans = timeline(clients: 10_000, limit: 1000).spans
    #expect((250...1000).contains(spans.count), "\(spans.count)")
    #expect(spans.allSatisfy { $0.seconds < 20_000 / 50 })
  }

  @Test func spansWithoutLengthAreJoinedToo() {
    var timeline = Timeline(limit: 16)
    for _ in 0..<100 { timeline.append(TraceSpan(phase: .apply, start: 3, seconds: 0)) }
    #expect(timeline.spans.count <= 16 && timeline.spans.reduce(0) { $0 + $1.count } == 100)
  }
}
