/// How well a model does on a set of rows.
///
/// JSON: `{"accuracy": …, "loss": …}` and any named extras in the order of their names. A number that is not
/// finite is written as null, and null reads back as NaN.
public struct Metrics: Sendable, Equatable, Decodable, JSONRepresentable {
  /// Share of rows that are right, from 0 to 1.
  public var accuracy: Double
  /// Mean loss of a row.
  public var loss: Double
  /// Further metrics by name, such as `matthews` or `f1`.
  public var extras: [String: Double]

  public init(accuracy: Double, loss: Double, extras: [String: Double] = [:]) {
    self.accuracy = accuracy
    self.loss = loss
    self.extras = extras
  }

  public init(from decoder: any Decoder) throws {
    var numbers = try decoder.singleValueContainer().decode([String: Double?].self).mapValues { $0 ?? .nan }
    accuracy = numbers.removeValue(forKey: "accuracy") ?? .nan
    loss = numbers.removeValue(forKey: "loss") ?? .nan
    extras = numbers
  }

  public var json: JSONValue {
    let named = extras.sorted { $0.key < $1.key }.map { ($0.key, JSONValue.number($0.value)) }
    return .object([("accuracy", .number(accuracy)), ("loss", .number(loss))] + named)
  }
}

/// Bytes of a round, or of a whole run.
public struct ByteCounts: Sendable, Equatable, Decodable, JSONRepresentable {
  /// What a federation's clients would upload, all together.
  public var logicalUp: Int
  /// What a federation's clients would download, all together.
  public var logicalDown: Int
  /// What the gather carried between MPI ranks.
  public var gathered: Int
  /// What the broadcast carried between MPI ranks.
  public var broadcast: Int

  public init(logicalUp: Int = 0, logicalDown: Int = 0, gathered: Int = 0, broadcast: Int = 0) {
    self.logicalUp = logicalUp
    self.logicalDown = logicalDown
    self.gathered = gathered
    self.broadcast = broadcast
  }

  public static func + (a: ByteCounts, b: ByteCounts) -> ByteCounts {
    ByteCounts(
      logicalUp: a.logicalUp + b.logicalUp, logicalDown: a.logicalDown + b.logicalDown,
      gathered: a.gathered + b.gathered, broadcast: a.broadcast + b.broadcast)
  }

  public var json: JSONValue {
    .object([
      ("logicalUp", .integer(logicalUp)), ("logicalDown", .integer(logicalDown)),
      ("gathered", .integer(gathered)), ("broadcast", .integer(broadcast)),
    ])
  }

  /// The bytes that an MPI rank moved in a phase.
  func physical(in phase: Phase) -> Int {
    switch phase {
    case .gather: gathered
    case .broadcast: broadcast
    default: 0
    }
  }
}
