internal import Foundation

extension ClientLink {
  private static let columns = ["client", "up-mbps", "down-mbps", "latency-ms"]

  /// The connections of a table of comma-separated values: a header with the columns `client`, `up-mbps`,
  /// `down-mbps` and `latency-ms` in any order, then a line a client.
  ///
  /// `origin` names the file in errors.
  public static func table(csv text: String, origin: String) throws(PredictionError) -> [ClientLink] {
    let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated()
      .filter { !$0.element.allSatisfy(\.isWhitespace) }
    guard let header = lines.first.map({ cells($0.element) }), Set(columns).isSubset(of: Set(header)) else {
      throw PredictionError(
        origin: origin,
        problem: "expected JSON lines of `florana benchmark collectives --json` or a table with the columns "
          + "\(columns.joined(separator: ",")), found \(lines.first.map { shown($0.element) } ?? "nothing")")
    }
    var seen: Set<String> = []
    var result: [ClientLink] = []
    for (index, line) in lines.dropFirst() {
      let place = "\(origin):\(index + 1)"
      let values = cells(line)
      guard values.count == header.count else {
        throw PredictionError(
          origin: place, problem: "expected \(header.count) values, found \(values.count)")
      }
      let row = Dictionary(zip(header, values), uniquingKeysWith: { first, _ in first })
      guard seen.insert(row["client"]!).inserted else {
        throw PredictionError(
          origin: place, problem: "expected each client once, found \(shown(row["client"]!)) again")
      }
      result.append(try ClientLink(row, origin: place))
    }
    guard !result.isEmpty else {
      throw PredictionError(origin: origin, problem: "expected a line a client, found none")
    }
    return result
  }

  private init(_ row: [String: String], origin: String) throws(PredictionError) {
    func number(_ column: String, allowsZero: Bool = false) throws(PredictionError) -> Double {
      let text = row[column]!
      guard let value = Double(text), value.isFinite, allowsZero ? value >= 0 : value > 0 else {
        throw PredictionError(
          origin: origin, problem: "\(column): expected a number above zero, found \(shown(text))")
      }
      return value
    }
    self = Network.client(
      upMbps: try number("up-mbps"), downMbps: try number("down-mbps"),
      latencyMilliseconds: try number("latency-ms", allowsZero: true))
  }

  private static func cells(_ line: some StringProtocol) -> [String] {
    line.split(separator: ",", omittingEmptySubsequences: false).map {
      $0.trimmingCharacters(in: .whitespaces)
    }
  }
}

/// A piece of a user's text as an error line shows it.
private func shown(_ text: some StringProtocol) -> String {
  text.isEmpty ? "nothing" : String(text.prefix(60))
}
