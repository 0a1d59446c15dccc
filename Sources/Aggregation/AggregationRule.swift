/// A way to make one pair of factors out of a cohort's. A rule is a value and keeps no state.
public protocol AggregationRule: Sendable {
  /// The name in configurations and reports.
  var name: String { get }

  /// Why all clients need one adapter rank; nil where theirs may differ.
  var reasonForOneAdapterRank: String? { get }

  /// What clients train, send, receive and keep in round `round` (from 1).
  func wirePlan(round: Int) -> WirePlan

  /// The floats that client `client` of a cohort with these adapter ranks sends and receives of a layer.
  func wireFloatCounts(of shape: LayerShape, adapterRanks: [Int], client: Int, round: Int) -> WireFloatCounts

  /// The factors that the server sends back for one layer, and the change of the base weight where the
  /// plan of this round (from 1) has one. For a factor that is not sent back: the cohort's mean.
  func aggregate(_ updates: LayerUpdates, round: Int) throws -> AggregatedLayer

  /// The same in round 1.
  func aggregate(_ updates: LayerUpdates) throws -> AggregatedLayer
}

extension AggregationRule {
  /// Of a rule that does the same in every round.
  public func aggregate(_ updates: LayerUpdates, round: Int) throws -> AggregatedLayer {
    try aggregate(updates)
  }

  public var reasonForOneAdapterRank: String? {
    "it averages A and B row by row and column by column, which factors of different ranks do not share"
  }

  public func wirePlan(round: Int) -> WirePlan { .bothFactors }

  /// Whether clients train a core between fixed factors.
  public var trainsCores: Bool { wirePlan(round: 1).trained.contains(.core) }

  /// What the plan says and no more: each client's own adapter rank, both ways.
  public func wireFloatCounts(
    of shape: LayerShape, adapterRanks: [Int], client: Int, round: Int
  ) -> WireFloatCounts {
    let plan = wirePlan(round: round)
    return WireFloatCounts(
      up: plan.uploaded.floatCount(of: shape, adapterRank: adapterRanks[client]),
      down: plan.downloaded.floatCount(of: shape, adapterRank: adapterRanks[client]))
  }
}

/// Scalar coefficients: `b = Σ P_u B_u` and `a = Σ Q_u A_u`.
public struct CombinationCoefficients: Sendable, Equatable {
  /// `P`, one number a client.
  public var ofB: [Double]
  /// `Q`, one number a client.
  public var ofA: [Double]

  public init(ofB: [Double], ofA: [Double]) {
    self.ofB = ofB
    self.ofA = ofA
  }

  /// The least and the greatest of all coefficients.
  public var range: ClosedRange<Double> {
    let all = ofB + ofA
    return (all.min() ?? 0)...(all.max() ?? 0)
  }

  /// The same product from other norms: `b` times `factor`, `a` divided by it.
  func rebalanced(by factor: Double) -> CombinationCoefficients {
    CombinationCoefficients(ofB: ofB.map { $0 * factor }, ofA: ofA.map { $0 / factor })
  }
}

/// The rules by name.
public enum AggregationRules {
  /// Every rule, in the order in which reports list them.
  public static let all: [any AggregationRule] = [
    FedIT(), FloraNA(), FloraNAMatrix(), FFALoRA(), RoLoRA(), FedSALoRA(), FlexLoRA(), FLoRA(), FedExLoRA(),
    HetLoRA(), LoRAFair(), FedSB(), Ideal(),
  ]

  public static var names: [String] { all.map(\.name) }

  public static func rule(named name: String) throws(AggregationError) -> any AggregationRule {
    guard let rule = all.first(where: { $0.name == name }) else {
      throw .unknownRule(name: name, known: names)
    }
    return rule
  }
}
