internal import Configuration
internal import Foundation
internal import Prediction
internal import Simulation
internal import Telemetry

/// A prediction for people and for programs: what it starts from, what it assumes, and its figures.
struct PredictionReport {
  let input: PredictionInput
  let networkName: String
  let cohort: Int
  let target: PredictionTarget
  let givenEstimateSeconds: Double?
  let forecasts: [Forecast]
  /// The other adapter's layers, if the prediction is for one.
  let layers: String?

  /// One of the run's messages: what it took beside what the model of the same network says.
  private struct SelfCheck {
    let operation: String
    let bytes: Double
    let measuredSeconds: Double
    let modelSeconds: Double
    var error: Double { modelSeconds / measuredSeconds - 1 }
  }

  private var selfChecks: [SelfCheck] {
    guard let collectives = input.collectives, input.serverMode == .root else { return [] }
    let (profile, fits) = (input.profile, collectives)
    let isEven = profile.clientCount % profile.spread.rankCount == 0
    return [
      ("gather", profile.gatherBytes, Phase.gather, isEven ? fits.gather : fits.unequalGather),
      ("broadcast", profile.broadcastBytes, .broadcast, fits.broadcast),
    ].filter { $0.1 > 0 && profile.seconds[$0.2, default: 0] > 0 }.map { name, bytes, phase, fit in
      SelfCheck(
        operation: name, bytes: bytes, measuredSeconds: profile.seconds[phase]!,
        modelSeconds: fit.seconds(bytes: bytes))
    }
  }

  // MARK: Text

  var text: String {
    [runText, fitText, checkText, assumptionText, tableText].filter { !$0.isEmpty }.joined(separator: "\n")
  }

  private var runText: String {
    let profile = input.profile
    let phases = Phase.allCases.filter { $0 != .wait && profile.seconds[$0]! > 0 }
      .map { "\($0.rawValue) \(Self.seconds(profile.seconds[$0]!))" }
    return """
      run: \(input.folder): \(profile.method), \(profile.clientCount) clients a round on \
      \(Self.ranks(profile.spread)), \(profile.roundCount) round\(profile.roundCount == 1 ? "" : "s")
      seconds of a round (median, of evaluate the mean; slowest rank): \(phases.joined(separator: ", "))

      """
  }

  private var fitText: String {
    guard let collectives = input.collectives, let path = input.collectivesPath else {
      return "no measured collectives of the run's network: make \(input.folder)/collectives.jsonl with "
        + "`florana benchmark collectives CONFIG --json`\n"
    }
    let header = [
      "T = α + β m", "from bytes", "to bytes", "points", "α µs", "1/β MB/s", "rms error %", "largest %",
    ]
    let fits = [
      ("gather", collectives.gather), ("gatherv", collectives.unequalGather),
      ("broadcast", collectives.broadcast),
    ]
    let rows = fits.flatMap { name, fit in fit.parts.map { [name] + Self.cells($0) } }
    var text =
      "collectives of the run's network, \(path), on \(Self.ranks(collectives.spread)), least squares "
      + "of the relative error by ranges:\n" + aligned([header] + rows)
    if collectives.spread.hostCount == 1, collectives.spread.rankCount > 1 {
      text += "warning: all ranks were on one host: this is its memory, which says nothing of a network\n"
    }
    if let rate = collectives.linkBytesPerSecond {
      text += "one link by the largest gathers: \(Self.rate(rate))"
      if let volume = collectives.broadcastVolume {
        text +=
          "; a large broadcast crosses the busiest link \(Self.number(volume, 2)) times"
          + Self.nearest(collectives.broadcastAlgorithms)
      }
      text += "\n"
    }
    return text
  }

  private static func nearest(_ algorithms: [CollectiveAlgorithm]) -> String {
    algorithms.isEmpty ? "" : ", nearest to a " + algorithms.map(\.rawValue).joined(separator: " or a ")
  }

  private static func cells(_ part: RangedFit.Part) -> [String] {
    [
      "\(part.sizes.lowerBound)", "\(part.sizes.upperBound)", "\(part.pointCount)",
      number(part.line.alpha * 1e6, 1), part.line.beta > 0 ? number(1e-6 / part.line.beta, 2) : "-",
      number(part.error.rootMeanSquare * 100, 1), number(part.error.largest * 100, 1),
    ]
  }

  private var checkText: String {
    let checks = selfChecks
    guard !checks.isEmpty else { return "" }
    let header = ["the run's own", "bytes", "measured s", "model s", "error %"]
    return aligned(
      [header]
        + checks.map {
          [
            $0.operation, Self.number($0.bytes, 0), Self.seconds($0.measuredSeconds),
            Self.seconds($0.modelSeconds), Self.number($0.error * 100, 1),
          ]
        })
  }

  private var assumptionText: String {
    "prediction: \(networkName), \(cohort) clients a round"
      + (layers.map { ", adapters on \($0)" } ?? "") + "\n"
      + assumptions.map { "  \($0)\n" }.joined()
  }

  private var assumptions: [String] {
    (layers == nil ? computeAssumptions : ["the run says nothing of this adapter's work: transfers alone"])
      + transferAssumptions
      + (input.serverMode == .root
        ? [] : ["server mode root, where the run's was \(input.serverMode.rawValue)"])
      + (input.wire == .f32
        ? []
        : ["numbers of \(input.wire.byteCount) bytes on the wire, \(input.wire.rawValue), as in the run"])
  }

  private var computeAssumptions: [String] {
    let estimate =
      givenEstimateSeconds.map { "estimate: \(Self.seconds($0)) s as given, for every method" }
      ?? "estimate: \(input.profile.method)'s for every method, scaled by its operations from "
      + "\(input.profile.clientCount) to \(cohort) clients (`florana benchmark estimate` measures it)"
    switch target {
    case .internet:
      return ["train, pack: each client a machine as fast as one rank of the run; not evaluated", estimate]
    case .cluster:
      return [
        "train, pack: the run's slowest rank, by the most clients of a rank; evaluate: by that or by 1/ranks, "
          + "whichever is more", estimate,
      ]
    }
  }

  private var transferAssumptions: [String] {
    switch target {
    case .internet(let federation):
      return [
        "gather, broadcast: all clients up, then down, in parallel; the slowest of \(cohort) by its own link "
          + (federation.clients.count > 1 ? "(mean over cohorts from \(federation.clients.count)) " : "")
          + "or all by the server's \(Self.rate(federation.serverBytesPerSecond)) each way, whichever is more; "
          + "warm connections, no loss"
      ]
    case .cluster(let model): return clusterAssumptions(model)
    }
  }

  private func clusterAssumptions(_ model: ClusterModel) -> [String] {
    [
      Self.ranks(model.spread) + "; " + Self.gathers(model) + "; " + Self.broadcasts(model), basis(model),
    ]
  }

  private func basis(_ model: ClusterModel) -> String {
    switch model.basis {
    case .formulas(let link):
      return "α \(Self.number(link.alpha * 1e6, 1)) µs, " + Self.rate(1 / link.beta)
    case .measured(let measured, let rate, let latency):
      let target = rate.map {
        "the fit above, its link of \(Self.rate(measured.linkBytesPerSecond ?? 0)) at \(Self.rate($0))"
      }
      return (target ?? "fitted to the file")
        + (latency.map { ", α \(Self.number($0 * 1e6, 1)) µs a message" } ?? ", latency as measured")
    }
  }

  private static func gathers(_ model: ClusterModel) -> String {
    let (equal, unequal) = (model.gatherChoice(hasEqualParts: true), model.gatherChoice(hasEqualParts: false))
    let other = equal == unequal ? "" : ", of unequal parts \(unequal.algorithm.rawValue)"
    return "\(equal.algorithm.rawValue) at the root\(other) (\(name(equal.source)))"
  }

  /// `A below 64 KiB (assumed), B below 1024 KiB (as Open MPI chooses), C from there (as measured)`
  private static func broadcasts(_ model: ClusterModel) -> String {
    let choices = model.broadcastChoices
    let limits = choices.dropFirst().map { " below \($0.fromBytes >> 10) KiB" }
    let places = limits + [choices.count > 1 ? " from there" : ""]
    return zip(choices.map(\.choice), places).map { "\($0.algorithm.rawValue)\($1) (\(name($0.source)))" }
      .joined(separator: ", ")
  }

  private static func name(_ source: ClusterModel.Choice.Source) -> String {
    switch source {
    case .library: "as Open MPI chooses"
    case .measured: "as measured"
    case .assumed: "assumed"
    }
  }

  private var tableText: String {
    let header = [
      "method", "kB up/client", "kB down/client", "gather s", "broadcast s", "transfer s", "round s",
    ]
    return aligned(
      [header]
        + forecasts.map {
          [
            $0.method, Self.number($0.upBytesPerClient / 1000, 1),
            Self.number($0.downBytesPerClient / 1000, 1),
            Self.seconds($0.gatherSeconds), Self.seconds($0.broadcastSeconds),
            Self.seconds($0.transferSeconds),
            $0.roundSeconds.map(Self.seconds) ?? "-",
          ]
        })
  }

  private static func number(_ value: Double, _ decimals: Int) -> String {
    String(format: "%.\(decimals)f", value)
  }

  /// With four significant digits.
  private static func seconds(_ value: Double) -> String { String(format: "%.4g", value) }

  private static func rate(_ bytesPerSecond: Double) -> String {
    String(format: "%.4g MB/s", bytesPerSecond * 1e-6)
  }

  private static func ranks(_ spread: RankSpread) -> String {
    "\(spread.rankCount) rank\(spread.rankCount == 1 ? "" : "s") on \(spread.hostCount) "
      + "host\(spread.hostCount == 1 ? "" : "s")"
  }
}

extension PredictionReport: JSONRepresentable {
  var json: JSONValue {
    let profile = input.profile
    let run = JSONValue.object([
      ("folder", .string(input.folder)), ("method", .string(profile.method)),
      ("clients", .integer(profile.clientCount)), ("ranks", .integer(profile.spread.rankCount)),
      ("hosts", .integer(profile.spread.hostCount)), ("rounds", .integer(profile.roundCount)),
      (
        "seconds",
        .object(Phase.allCases.map { ($0.rawValue, .number(profile.seconds[$0]!)) })
      ),
    ])
    return .object(omittingNil: [
      ("run", run), ("collectives", input.collectives?.json),
      ("selfCheck", .array(selfChecks.map(Self.json))), ("network", .string(networkName)),
      ("clients", .integer(cohort)), ("ranks", rankCount.map { .integer($0) }),
      ("layers", layers.map { .string($0) }), ("assumptions", .array(assumptions.map { .string($0) })),
      ("methods", .array(forecasts.map(\.json))),
    ])
  }

  private var rankCount: Int? {
    if case .cluster(let model) = target { model.spread.rankCount } else { nil }
  }

  private static func json(_ check: SelfCheck) -> JSONValue {
    .object([
      ("operation", .string(check.operation)), ("bytes", .number(check.bytes)),
      ("measuredSeconds", .number(check.measuredSeconds)), ("modelSeconds", .number(check.modelSeconds)),
      ("error", .number(check.error)),
    ])
  }
}
