import Foundation
import Telemetry
import Testing

@Suite struct PhaseTimerTests {
  @Test func timeIsAddedToItsPhase() {
    var timer = PhaseTimer()
    let result = timer.measure(.train) {
      Thread.sleep(forTimeInterval: 0.02)
      return 7
    }
    timer.measure(.train) { Thread.sleep(forTimeInterval: 0.02) }
    #expect(result == 7)
    #expect(timer[.train] >= 0.04 && timer[.train] < 5)
    #expect(timer[.gather] == 0)
    timer.reset()
    #expect(timer.values == Array(repeating: 0, count: Phase.allCases.count))
  }

  @Test func spansAreKeptInOrder() {
    var timer = PhaseTimer()
    for _ in 0..<3 * PhaseTimer.spanLimit { timer.measure(.train) {} }
    timer.measure(.pack) { Thread.sleep(forTimeInterval: 0.002) }
    #expect(timer.spans.count <= PhaseTimer.spanLimit && timer[.pack] >= 0.002)
    #expect(timer.spans.last?.phase == .pack && timer.spans.reduce(0) { $0 + $1.count } == 3001)
    #expect([TraceSpan](wire: timer.spans.wire) == timer.spans)
    timer.reset()
    #expect(timer.spans.isEmpty)
  }

  @Test func aThrowKeepsItsTypeAndItsTime() {
    struct Failure: Error {}
    var timer = PhaseTimer()
    do throws(Failure) {
      try timer.measure(.gather) { () throws(Failure) in
        Thread.sleep(forTimeInterval: 0.01)
        throw Failure()
      }
      Issue.record("nothing was thrown")
    } catch {
      #expect(timer[.gather] >= 0.01)
    }
  }

  @Test func spreadsOverRanksComeFromTheTimersValues() {
    var timers = [PhaseTimer(), PhaseTimer(), PhaseTimer()]
    for (rank, seconds) in [1.0, 2, 6].enumerated() {
      timers[rank].add(seconds, to: .train)
      timers[rank].add(10 - seconds, to: .evaluate)
    }
    let spreads = [Phase: Spread](gathered: timers.flatMap(\.values))
    #expect(spreads[.train] == Spread(minimum: 1, mean: 3, maximum: 6))
    #expect(spreads[.evaluate] == Spread(minimum: 4, mean: 7, maximum: 9))
    #expect(spreads[.wait] == Spread(minimum: 0, mean: 0, maximum: 0))
  }
}
