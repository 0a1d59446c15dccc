/// What can be wrong with a round's updates. Clients are named by their position in the cohort.
public enum AggregationError: Error, Equatable, Sendable, CustomStringConvertible {
  /// A round in which no client took part has no update; it is not an update of zero.
  case emptyCohort
  case weightCount(expected: Int, found: Int)
  case invalidWeight(client: Int, value: Double)
  case weightSum(Double)
  case invalidExampleCount(client: Int, count: Int)
  /// A layer's factors do not fit each other or those of client 0.
  case shape(client: Int, expected: LayerShape, found: LayerShape)
  /// `a` has another number of rows than `b` has columns.
  case factorsDisagree(client: Int, rowsOfA: Int, columnsOfB: Int)
  /// A client's core is not adapterRank × adapterRank, or is there for some clients only.
  case core(client: Int, expected: LayerShape?, found: LayerShape?)
  case notFinite(client: Int, factor: FactorName)
  /// The rule combines factors of one adapter rank only.
  case mixedAdapterRanks(rule: String, reason: String, ranks: [Int])
  /// The rule freezes this factor, so it has to be the same for all clients; this client's is another
  /// than that of client 0.
  case frozenFactorDiffers(rule: String, client: Int, factor: FactorName)
  /// The rule averages the cores between fixed factors, and these updates are factors alone.
  case noCore(rule: String)
  case unknownRule(name: String, known: [String])

  public var description: String {
    switch self {
    case .emptyCohort: "no client took part in the round"
    case .weightCount(let expected, let found): "expected \(expected) weights, found \(found)"
    case .invalidWeight(let client, let value): "client \(client): the weight \(value) is not a number ≥ 0"
    case .weightSum(let sum): "the weights of the cohort sum to \(sum), expected 1"
    case .invalidExampleCount(let client, let count): "client \(client): \(count) examples"
    case .shape(let client, let expected, let found):
      "client \(client): expected factors of a layer \(expected), found \(found)"
    case .factorsDisagree(let client, let rows, let columns):
      "client \(client): a has \(rows) rows, b has \(columns) columns; both are the adapter's rank"
    case .core(let client, let expected, let found):
      "client \(client): expected \(expected.map { "a core \($0)" } ?? "no core"), "
        + "found \(found.map(\.description) ?? "none")"
    case .notFinite(let client, let factor): "client \(client): factor \(factor) is not finite"
    case .mixedAdapterRanks(let rule, let reason, let ranks):
      "\(rule) needs one adapter rank for all clients (\(reason)), found \(ranks)"
    case .frozenFactorDiffers(let rule, let client, let factor):
      "\(rule) freezes factor \(factor) at common numbers, client \(client) has others than client 0"
    case .noCore(let rule): "\(rule) averages cores between fixed factors, these updates have none"
    case .unknownRule(let name, let known):
      "unknown method \"\(name)\", expected one of \(known.joined(separator: ", "))"
    }
  }
}

/// One of the factors of a low-rank update `b · a` or `b · core · a`.
public enum FactorName: String, Sendable, CustomStringConvertible {
  case a
  case b
  case core

  public var description: String { rawValue }
}
