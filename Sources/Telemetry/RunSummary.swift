/// What a whole run did: summary.json.
public struct RunSummary: Sendable, Equatable, Decodable, JSONRepresentable {
  /// Rounds that were run.
  public var rounds: Int
  public var last: RoundReport?
  /// The round of the highest global accuracy, the earliest of equals; nil if none was evaluated.
  public var best: RoundReport?
  /// Totals over the rounds.
  public var bytes: ByteCounts
  /// Totals over the rounds: each figure is the sum of the rounds' figures.
  public var seconds: [Phase: Spread]
  /// From the start of the run to its end.
  public var wallSeconds: Double
  /// SHA-256 of adapter/adapter_model.safetensors, in hexadecimal digits.
  public var adapterSHA256: String?
  /// SHA-256 of base/model.safetensors, for methods that change the base weights.
  public var baseSHA256: String?

  /// Sums up the reports of all rounds, given in their order.
  public init(
    of reports: [RoundReport], wallSeconds: Double, adapterSHA256: String? = nil, baseSHA256: String? = nil
  ) {
    rounds = reports.count
    last = reports.last
    best = Self.best(of: reports)
    bytes = reports.reduce(ByteCounts()) { $0 + $1.bytes }
    seconds = reports.reduce(into: [:]) { $0.merge($1.seconds, uniquingKeysWith: +) }
    self.wallSeconds = wallSeconds
    self.adapterSHA256 = adapterSHA256
    self.baseSHA256 = baseSHA256
  }

  private static func best(of reports: [RoundReport]) -> RoundReport? {
    reports.reduce(nil) { best, report in
      guard let accuracy = report.global?.accuracy, accuracy.isFinite else { return best }
      return accuracy > (best?.global?.accuracy ?? -.infinity) ? report : best
    }
  }

  public var json: JSONValue {
    .object(omittingNil: [
      ("rounds", .integer(rounds)),
      ("last", last?.json),
      ("best", best?.json),
      ("bytes", bytes.json),
      ("seconds", seconds.json),
      ("wallSeconds", .number(wallSeconds)),
      ("adapterSHA256", adapterSHA256.map { .string($0) }),
      ("baseSHA256", baseSHA256.map { .string($0) }),
    ])
  }
}
