/// The parts of a round that are timed on their own, in the order in which they are reported.
public enum Phase: String, Sendable, CaseIterable, Codable, CodingKeyRepresentable {
  /// The clients' local steps.
  case train
  /// Copying the clients' factors into the message that is gathered.
  case pack
  /// Barriers before collectives, so that imbalance is not booked as transfer.
  case wait
  case gather
  /// The rule, at the root.
  case estimate
  case broadcast
  /// Putting the broadcast's factors in place.
  case apply
  /// Forward passes on held-out and test rows, the oracle's included; at the root also ρ and its bounds.
  case evaluate
}

/// The smallest, the mean and the largest of a figure over the ranks.
public struct Spread: Sendable, Equatable, Decodable, JSONRepresentable {
  public var minimum: Double
  public var mean: Double
  public var maximum: Double

  public init(minimum: Double, mean: Double, maximum: Double) {
    self.minimum = minimum
    self.mean = mean
    self.maximum = maximum
  }

  /// The spread of one value for each rank; at least one.
  public init(of values: some Collection<Double>) {
    precondition(!values.isEmpty, "the spread of no values")
    self.init(
      minimum: values.min()!, mean: values.reduce(0, +) / Double(values.count), maximum: values.max()!)
  }

  public var json: JSONValue {
    .object([("minimum", .number(minimum)), ("mean", .number(mean)), ("maximum", .number(maximum))])
  }

  static func + (a: Spread, b: Spread) -> Spread {
    Spread(minimum: a.minimum + b.minimum, mean: a.mean + b.mean, maximum: a.maximum + b.maximum)
  }
}

extension [Phase: Spread] {
  /// The spreads over ranks of their timers' `values`, one rank after the other.
  public init(gathered values: [Double]) {
    let phases = Phase.allCases
    precondition(
      !values.isEmpty && values.count % phases.count == 0,
      "\(values.count) seconds do not divide into \(phases.count) phases")
    self.init()
    for (index, phase) in phases.enumerated() {
      self[phase] = Spread(of: stride(from: index, to: values.count, by: phases.count).map { values[$0] })
    }
  }

  /// Phases in their order; those that were not timed are left out.
  var json: JSONValue {
    .object(Phase.allCases.compactMap { phase in self[phase].map { (phase.rawValue, $0.json) } })
  }
}
