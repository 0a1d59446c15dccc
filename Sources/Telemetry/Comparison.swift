/// Runs of several methods with the same data, seeds and start, side by side.
public struct Comparison: Sendable {
  /// One method's run with one seed.
  public struct Run: Sendable {
    public let method: String
    public let seed: UInt64
    public let rounds: [RoundReport]

    public init(method: String, seed: UInt64, rounds: [RoundReport]) {
      self.method = method
      self.seed = seed
      self.rounds = rounds
    }

    /// The last round, which is always evaluated.
    var last: RoundReport? { rounds.last }
    var bytes: ByteCounts { rounds.reduce(ByteCounts()) { $0 + $1.bytes } }

    /// Mean seconds of a phase over ranks, summed over the rounds.
    func seconds(_ phase: Phase) -> Double { rounds.reduce(0) { $0 + ($1.seconds[phase]?.mean ?? 0) } }

    /// What aggregation cost: the oracle's accuracy minus the method's, the mean over evaluated rounds.
    var oracleLoss: Double? {
      let losses = rounds.compactMap { round in
        round.oracle.flatMap { oracle in round.global.map { oracle.accuracy - $0.accuracy } }
      }
      return losses.isEmpty ? nil : losses.reduce(0, +) / Double(losses.count)
    }
  }

  public let runs: [Run]

  public init(_ runs: [Run]) { self.runs = runs }

  /// The methods in the order of their first run.
  var methods: [String] { runs.reduce(into: []) { if !$0.contains($1.method) { $0.append($1.method) } } }
}

extension Comparison {
  /// A column of `compare.csv`, and of the table where `isShown`.
  private struct Column: Sendable {
    let name: String
    let title: String
    /// Factor and decimals of the table.
    var scale = 1.0
    var decimals = 4
    var isShown = true
    let value: @Sendable (Run) -> Double?
  }

  private static let columns: [Column] =
    [
      Column(name: "globalAccuracy", title: "global %", scale: 100, decimals: 2) {
        $0.last?.global?.accuracy
      },
      Column(name: "personalisedAccuracy", title: "personalised %", scale: 100, decimals: 2) {
        $0.last?.personalised?.accuracy
      },
      Column(name: "gap", title: "gap", scale: 100, decimals: 2) { $0.last?.gap },
      Column(name: "rho", title: "ρ") { $0.last?.rho },
      Column(name: "rhoFedIT", title: "ρ FedIT") { $0.last?.rhoFedIT },
      Column(name: "rhoOptimum", title: "ρ optimum") { $0.last?.rhoOptimum },
      Column(name: "oracleLoss", title: "oracle −", scale: 100, decimals: 2) { $0.oracleLoss },
      Column(name: "logicalUp", title: "MB up", scale: 1e-6, decimals: 2) { Double($0.bytes.logicalUp) },
      Column(name: "logicalDown", title: "MB down", scale: 1e-6, decimals: 2) {
        Double($0.bytes.logicalDown)
      },
      Column(name: "gathered", title: "MB gathered", scale: 1e-6, decimals: 2) { Double($0.bytes.gathered) },
      Column(name: "broadcast", title: "MB broadcast", scale: 1e-6, decimals: 2) {
        Double($0.bytes.broadcast)
      },
    ]
    + Phase.allCases.map { phase in
      Column(
        name: phase.rawValue + "Seconds", title: phase.rawValue + " s", decimals: 2,
        isShown: [.train, .gather, .estimate, .broadcast].contains(phase)
      ) { $0.seconds(phase) }
    }

  /// Comma-separated values, a line a run: figures of the last round, bytes and seconds of the whole run.
  public var csv: String {
    let header = (["method", "seed"] + Self.columns.map(\.name)).joined(separator: ",")
    let lines = runs.map { run in
      ([run.method, "\(run.seed)"] + Self.columns.map { $0.value(run).map { "\($0)" } ?? "" })
        .joined(separator: ",")
    }
    return ([header] + lines).joined(separator: "\n") + "\n"
  }

  /// An aligned line a method: the mean over seeds, and with several seeds ± their standard deviation.
  public var text: String {
    let shown = Self.columns.filter(\.isShown)
    let rows = methods.map { method in
      let own = runs.filter { $0.method == method }
      return [method] + shown.map { column in Self.cell(own.map(column.value), column) }
    }
    return aligned([["method"] + shown.map(\.title)] + rows)
  }

  private static func cell(_ values: [Double?], _ column: Column) -> String {
    let numbers = values.compactMap { $0 }.map { $0 * column.scale }
    guard !numbers.isEmpty else { return "-" }
    let mean = numbers.reduce(0, +) / Double(numbers.count)
    guard numbers.count > 1 else { return fixed(mean, column.decimals) }
    let squares = numbers.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    let deviation = (squares / Double(numbers.count - 1)).squareRoot()
    return fixed(mean, column.decimals) + " ± " + fixed(deviation, column.decimals)
  }

  /// The two questions of the field, answered in a line each: how ρ goes with the global accuracy over all
  /// evaluated rounds, methods and seeds, and how it goes with the accuracy that the oracle has more.
  public var correlations: String {
    let rounds = runs.flatMap(\.rounds).filter { $0.rho?.isFinite == true && $0.global != nil }
    let accuracy = rankCorrelation(rounds.map { ($0.rho!, $0.global!.accuracy) })
    let costs = rounds.filter { $0.oracle != nil }.map {
      ($0.rho!, $0.oracle!.accuracy - $0.global!.accuracy)
    }
    return """
      rank correlation of ρ with global accuracy: \(shown(accuracy)) (\(rounds.count) rounds)
      rank correlation of ρ with oracle minus global accuracy: \(shown(rankCorrelation(costs))) (\(costs.count) rounds)

      """
  }

  private func shown(_ correlation: Double?) -> String { correlation.map { fixed($0, 3) } ?? "not defined" }
}
