/// A sweep over numbers of clients: scaling.csv and the table that ends it.
public struct ScalingTable: Sendable {
  /// What one number of clients took.
  public struct Row: Sendable {
    /// `strong` or `weak`.
    public var mode: String
    public var ranks: Int
    public var hosts: Int
    public var clients: Int
    /// Nil where clients train for epochs.
    public var stepsPerClient: Int?
    /// The timed rounds.
    public var rounds: [RoundReport]
    /// Seconds from the end of one round to the end of the next.
    public var wallSeconds: [Double]
    /// Local steps and tokens of training rows of all timed rounds.
    public var steps: Int
    public var tokens: Int
    /// The most memory that any rank has had resident meanwhile.
    public var peakByteCount: Int

    public init(
      mode: String, ranks: Int, hosts: Int, clients: Int, stepsPerClient: Int?, rounds: [RoundReport],
      wallSeconds: [Double], steps: Int, tokens: Int, peakByteCount: Int
    ) {
      precondition(!rounds.isEmpty && rounds.count == wallSeconds.count, "a row without timed rounds")
      self.mode = mode
      self.ranks = ranks
      self.hosts = hosts
      self.clients = clients
      self.stepsPerClient = stepsPerClient
      self.rounds = rounds
      self.wallSeconds = wallSeconds
      self.steps = steps
      self.tokens = tokens
      self.peakByteCount = peakByteCount
    }

    /// Clients that take part in a round.
    var cohort: Int { rounds[0].clients.count }
    var clientsPerRank: Double { Double(clients) / Double(ranks) }
    var seconds: Spread { Spread(of: wallSeconds) }
    var clientsPerSecond: Double { perSecond(rounds.reduce(0) { $0 + $1.clients.count }) }
    var stepsPerSecond: Double { perSecond(steps) }
    public var tokensPerSecond: Double { perSecond(tokens) }

    private func perSecond(_ count: Int) -> Double { Double(count) / wallSeconds.reduce(0, +) }

    /// The ranks' spread of a phase, its mean over the rounds.
    func seconds(_ phase: Phase) -> Spread {
      let sum = rounds.reduce(Spread(minimum: 0, mean: 0, maximum: 0)) { $0 + ($1.seconds[phase] ?? .zero) }
      let count = Double(rounds.count)
      return Spread(minimum: sum.minimum / count, mean: sum.mean / count, maximum: sum.maximum / count)
    }

    /// Bytes a round.
    func bytes(_ figure: KeyPath<ByteCounts, Int>) -> Int {
      rounds.reduce(0) { $0 + $1.bytes[keyPath: figure] } / rounds.count
    }
  }

  public private(set) var rows: [Row] = []

  public init() {}

  public mutating func append(_ row: Row) { rows.append(row) }

  /// Trained tokens a second over those of the first row.
  ///
  /// Tokens, since clients that divide the data otherwise have other rows: where the tokens of a round are the
  /// same it is the ratio of the times.
  public func speedUp(_ row: Row) -> Double { row.tokensPerSecond / rows[0].tokensPerSecond }

  /// The same by rank: 1 where a rank trains as much in a second as in the first row.
  public func efficiency(_ row: Row) -> Double {
    speedUp(row) * Double(rows[0].ranks) / Double(row.ranks)
  }
}

extension ScalingTable {
  /// Comma-separated values, a line a row. Seconds of a phase are over the ranks, those of a round over the
  /// rounds; bytes are those of a round.
  public var csv: String {
    let header = Self.columns.map(\.name).joined(separator: ",")
    let lines = rows.map { row in Self.columns.map { $0.value(self, row) }.joined(separator: ",") }
    return ([header] + lines).joined(separator: "\n") + "\n"
  }

  private struct Column: Sendable {
    let name: String
    let value: @Sendable (ScalingTable, Row) -> String
  }

  private static let columns: [Column] =
    [
      Column(name: "mode") { $1.mode },
      Column(name: "ranks") { "\($1.ranks)" },
      Column(name: "hosts") { "\($1.hosts)" },
      Column(name: "clients") { "\($1.clients)" },
      Column(name: "clientsPerRank") { "\($1.clientsPerRank)" },
      Column(name: "cohort") { "\($1.cohort)" },
      Column(name: "stepsPerClient") { $1.stepsPerClient.map(String.init) ?? "" },
      Column(name: "rounds") { "\($1.rounds.count)" },
    ] + spread("seconds") { $0.seconds }
    + Phase.allCases.flatMap { phase in spread(phase.rawValue + "Seconds") { $0.seconds(phase) } } + [
      Column(name: "logicalUp") { "\($1.bytes(\.logicalUp))" },
      Column(name: "logicalDown") { "\($1.bytes(\.logicalDown))" },
      Column(name: "gathered") { "\($1.bytes(\.gathered))" },
      Column(name: "broadcast") { "\($1.bytes(\.broadcast))" },
      Column(name: "clientsPerSecond") { "\($1.clientsPerSecond)" },
      Column(name: "stepsPerSecond") { "\($1.stepsPerSecond)" },
      Column(name: "tokensPerSecond") { "\($1.tokensPerSecond)" },
      Column(name: "peakBytes") { "\($1.peakByteCount)" },
      Column(name: "speedUp") { "\($0.speedUp($1))" },
      Column(name: "efficiency") { "\($0.efficiency($1))" },
    ]

  private static func spread(_ name: String, _ value: @escaping @Sendable (Row) -> Spread) -> [Column] {
    [
      Column(name: name + "Minimum") { "\(value($1).minimum)" },
      Column(name: name + "Mean") { "\(value($1).mean)" },
      Column(name: name + "Maximum") { "\(value($1).maximum)" },
    ]
  }

  /// One aligned line a row under a header: mean seconds of a round and of its phases on the slowest rank.
  public var text: String {
    let phases: [Phase] = [.train, .wait, .gather, .estimate, .broadcast]
    let header =
      ["clients", "cohort", "steps each", "round s"] + phases.map { "\($0.rawValue) s" }
      + ["MB up", "clients/s", "tokens/s", "peak MiB", "speed-up", "efficiency"]
    return aligned(
      [header]
        + rows.map { row in
          ["\(row.clients)", "\(row.cohort)", row.stepsPerClient.map(String.init) ?? "-"]
            + [fixed(row.seconds.mean, 3)] + phases.map { fixed(row.seconds($0).maximum, 3) }
            + [
              fixed(Double(row.bytes(\.logicalUp)) * 1e-6, 2), fixed(row.clientsPerSecond, 1),
              fixed(row.tokensPerSecond, 0), fixed(Double(row.peakByteCount) / 1_048_576, 0),
              fixed(speedUp(row), 2), fixed(efficiency(row), 2),
            ]
        })
  }
}

extension Spread {
  fileprivate static let zero = Spread(minimum: 0, mean: 0, maximum: 0)
}
