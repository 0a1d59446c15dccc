internal import Foundation

/// A stretch of one rank's time that it spent in one phase, or several that follow closely, put together.
public struct TraceSpan: Sendable, Equatable {
  public var phase: Phase
  /// Seconds since the start of the job, by the clock of the rank or, once aligned, by that of rank 0.
  public var start: Double
  public var seconds: Double
  /// How many were put together: of a client's phases, the clients.
  public var count: Int

  public init(phase: Phase, start: Double, seconds: Double, count: Int = 1) {
    self.phase = phase
    self.start = start
    self.seconds = seconds
    self.count = count
  }

  /// The same on a clock that is so many seconds ahead.
  public func shifted(by seconds: Double) -> TraceSpan {
    var span = self
    span.start += seconds
    return span
  }
}

extension [TraceSpan] {
  /// The numbers that carry spans between ranks.
  public var wire: [Double] {
    flatMap { [Double(Phase.allCases.firstIndex(of: $0.phase)!), $0.start, $0.seconds, Double($0.count)] }
  }

  public init(wire: [Double]) {
    self = stride(from: 0, to: wire.count, by: 4).map {
      TraceSpan(
        phase: Phase.allCases[Int(wire[$0])], start: wire[$0 + 1], seconds: wire[$0 + 2],
        count: Int(wire[$0 + 3]))
    }
  }
}

/// The timeline of a run in the Chrome trace event format, which Perfetto and chrome://tracing open: a process a
/// rank, a complete event ("ph": "X") a span, microseconds.
///
/// The format's array may lack its end, so that a run that dies leaves a timeline all the same.
enum TraceFormat {
  /// The array's beginning, and the ranks' names.
  static func head(hosts: [String]) -> String {
    "[\n"
      + hosts.enumerated().map { rank, host in
        event([
          ("name", .string("process_name")), ("ph", .string("M")), ("pid", .integer(rank)),
          ("tid", .integer(0)), ("args", .object([("name", .string("rank \(rank) on \(host)"))])),
        ]) + ",\n"
      }.joined()
  }

  /// One round's spans of all ranks.
  static func lines(round: Int, _ ranks: [[TraceSpan]]) -> String {
    ranks.enumerated().flatMap { rank, spans in
      spans.map { span in
        event([
          ("name", .string(span.phase.rawValue)), ("ph", .string("X")), ("pid", .integer(rank)),
          ("tid", .integer(0)), ("ts", microseconds(span.start)), ("dur", microseconds(span.seconds)),
          (
            "args",
            .object(omittingNil: [
              ("round", .integer(round)), ("joined", span.count > 1 ? .integer(span.count) : nil),
            ])
          ),
        ]) + ",\n"
      }
    }.joined()
  }

  /// The last event, and the array's end.
  static func end(seconds: Double) -> String {
    event([
      ("name", .string("end of the run")), ("ph", .string("i")), ("s", .string("g")), ("pid", .integer(0)),
      ("tid", .integer(0)), ("ts", microseconds(seconds)),
    ]) + "\n]\n"
  }

  private static func event(_ entries: [(key: String, value: JSONValue)]) -> String {
    JSONValue.object(entries).line
  }

  /// To a tenth of a microsecond: more digits only make the file longer.
  private static func microseconds(_ seconds: Double) -> JSONValue { .number((seconds * 1e7).rounded() / 10) }
}
