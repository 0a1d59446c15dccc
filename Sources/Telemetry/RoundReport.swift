/// What one round did: a line of rounds.jsonl.
///
/// Optional values that are nil have no key. Numbers that are not finite are written as null; null reads back
/// as nil where the value is optional and as NaN where it is not.
public struct RoundReport: Sendable, Equatable {
  /// Counted from 1.
  public var round: Int
  /// The method's name in the configuration.
  public var method: String
  /// Ids of the clients that took part, in order.
  public var clients: [Int]
  /// Mean loss of the clients' local steps.
  public var trainLoss: Double
  /// Each client's own model on its own held-out rows.
  public var personalised: Metrics?
  /// The aggregated model on the test set.
  public var global: Metrics?
  /// The ideal update, applied exactly, on the test set.
  public var oracle: Metrics?
  /// Distance of the aggregate from the ideal update, over all layers together: √(Σ‖error‖²) / √(Σ‖W*‖²).
  public var rho: Double?
  /// The same distance for plain averaging.
  public var rhoFedIT: Double?
  /// The same distance for the best possible factors of this rank.
  public var rhoOptimum: Double?
  /// 0 for plain averaging, 1 for the best possible; nil where the two ends meet.
  public var closedGap: Double?
  public var bytes: ByteCounts
  /// Seconds over the ranks by phase.
  public var seconds: [Phase: Spread]

  public init(
    round: Int, method: String, clients: [Int], trainLoss: Double, personalised: Metrics? = nil,
    global: Metrics? = nil, oracle: Metrics? = nil, rho: Double? = nil, rhoFedIT: Double? = nil,
    rhoOptimum: Double? = nil, closedGap: Double? = nil, bytes: ByteCounts = ByteCounts(),
    seconds: [Phase: Spread] = [:]
  ) {
    self.round = round
    self.method = method
    self.clients = clients
    self.trainLoss = trainLoss
    self.personalised = personalised
    self.global = global
    self.oracle = oracle
    self.rho = rho
    self.rhoFedIT = rhoFedIT
    self.rhoOptimum = rhoOptimum
    self.closedGap = closedGap
    self.bytes = bytes
    self.seconds = seconds
  }

  /// The local–global generalisation gap: personalised minus global accuracy; nil without both.
  public var gap: Double? {
    guard let personalised, let global else { return nil }
    return personalised.accuracy - global.accuracy
  }

  /// Seconds of the round: the sum of the phases' means, which include the time spent waiting.
  public var totalSeconds: Double {
    Phase.allCases.reduce(0) { $0 + (seconds[$1]?.mean ?? 0) }
  }
}

extension RoundReport: JSONRepresentable {
  public var json: JSONValue {
    .object(omittingNil: [
      ("round", .integer(round)),
      ("method", .string(method)),
      ("clients", .array(clients.map { .integer($0) })),
      ("trainLoss", .number(trainLoss)),
      ("personalised", personalised?.json),
      ("global", global?.json),
      ("oracle", oracle?.json),
      ("gap", gap.map { .number($0) }),
      ("rho", rho.map { .number($0) }),
      ("rhoFedIT", rhoFedIT.map { .number($0) }),
      ("rhoOptimum", rhoOptimum.map { .number($0) }),
      ("closedGap", closedGap.map { .number($0) }),
      ("bytes", bytes.json),
      ("seconds", seconds.json),
    ])
  }
}

extension RoundReport: Decodable {
  private enum Key: String, CodingKey {
    case round, method, clients, trainLoss, personalised, global, oracle
    case rho, rhoFedIT, rhoOptimum, closedGap, bytes, seconds
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Key.self)
    round = try container.decode(Int.self, forKey: .round)
    method = try container.decode(String.self, forKey: .method)
    clients = try container.decode([Int].self, forKey: .clients)
    trainLoss = try container.decode(Double?.self, forKey: .trainLoss) ?? .nan
    personalised = try container.decodeIfPresent(Metrics.self, forKey: .personalised)
    global = try container.decodeIfPresent(Metrics.self, forKey: .global)
    oracle = try container.decodeIfPresent(Metrics.self, forKey: .oracle)
    rho = try container.decodeIfPresent(Double.self, forKey: .rho)
    rhoFedIT = try container.decodeIfPresent(Double.self, forKey: .rhoFedIT)
    rhoOptimum = try container.decodeIfPresent(Double.self, forKey: .rhoOptimum)
    closedGap = try container.decodeIfPresent(Double.self, forKey: .closedGap)
    bytes = try container.decode(ByteCounts.self, forKey: .bytes)
    seconds = try container.decode([Phase: Spread].self, forKey: .seconds)
  }
}
