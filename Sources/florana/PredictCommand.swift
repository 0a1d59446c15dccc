internal import ArgumentParser
internal import Configuration
internal import Foundation
internal import MPI
internal import Prediction
internal import Simulation
internal import Telemetry

struct PredictCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "predict",
    abstract: "Say what a round of a run would cost on another network, for every method.",
    discussion: """
      Examples:
        florana predict runs/sentiment --network 1gbe --clients 64 --ranks 16
        florana predict runs/sentiment --network lte --clients 1000 --method florana --json
        florana predict runs/sentiment --network clients.csv --server-link 1gbe
        florana predict runs/sentiment --network wan-100mbps --clients 1000 --layers 64x4096x4096 --adapter-rank 16
      Networks: infiniband-hdr, 10gbe, 1gbe, or a rate such as 200mbit or 2.5gbit,80us (with a message's latency);
      over the internet wan-100mbps and lte; or a file: the output of `florana benchmark collectives --json` on the
      other network, or a table of clients with the columns client,up-mbps,down-mbps,latency-ms.
      RUN_DIR/collectives.jsonl, made by `florana benchmark collectives CONFIG --json` in the job of the run, lets
      the model start from this cluster's own collectives. The server mode is root: one gather, one broadcast.
      """)

  @Argument(help: ArgumentHelp("A run's folder.", valueName: "run-dir"))
  var folder: String

  @Option(help: "A network's name or rate, or a file.")
  var network: String

  @Option(help: "Clients of a round. Default: the run's.")
  var clients: Int?

  @Option(help: "MPI ranks. Default: the run's.")
  var ranks: Int?

  @Option(help: "Ranks that share a host's link. Default: the run's where it had several hosts, else 1.")
  var ranksPerHost: Int?

  @Option(help: "A method, or all.")
  var method = "all"

  @Option(
    help: "Measured collectives of the run's network. Default: RUN_DIR/collectives.jsonl where it exists.")
  var collectives: String?

  @Option(help: "Seconds of the estimate, as `benchmark estimate` measures it. Default: the run's, scaled.")
  var estimateSeconds: Double?

  @Option(help: "The server's own link over the internet: a cluster network's name or a rate.")
  var serverLink = "10gbe"

  @Option(help: "Another adapter: layers as COUNTxOUTPUTSxINPUTS, separated by commas.")
  var layers: String?

  @Option(help: "The other adapter's rank. Default: the run's largest.")
  var adapterRank: Int?

  @Flag(help: "Print one JSON object.")
  var json = false

  func validate() throws {
    let counts = [
      ("clients", clients, 10_000_000), ("ranks", ranks, 1_000_000), ("ranks-per-host", ranksPerHost, 10_000),
      ("adapter-rank", adapterRank, 100_000),
    ]
    for (name, value, limit) in counts {
      if let value, !(1...limit).contains(value) {
        throw ValidationError("--\(name): expected 1 to \(limit), found \(value)")
      }
    }
    if let estimateSeconds, !(estimateSeconds >= 0 && estimateSeconds.isFinite) {
      throw ValidationError("--estimate-seconds: expected at least 0, found \(estimateSeconds)")
    }
    if adapterRank != nil, layers == nil {
      throw ValidationError("--adapter-rank: expected --layers beside it, found none")
    }
    _ = try layerGroups()
  }

  func run() {
    Launch.run { world in
      let rank = world.rank
      let prediction: PredictionReport? = try world.together {
        rank == 0 ? try checkingInput { try report() } : nil
      }
      guard let prediction else { return }
      try Terminal.deliver(json ? prediction.json.line + "\n" : prediction.text)
    }
  }

  private func report() throws -> PredictionReport {
    let input = try PredictionInput(run: folder, collectives: collectives)
    let outline = try outline(input)
    let target = try target(input)
    let cohort = clients ?? input.profile.clientCount
    let scenario = PredictionScenario(
      input: input, outline: outline, cohort: cohort, target: target,
      estimateSeconds: try estimateSeconds ?? input.estimateSeconds(clients: cohort),
      isOtherAdapter: layers != nil)
    return PredictionReport(
      input: input, networkName: network, cohort: cohort, target: target,
      givenEstimateSeconds: estimateSeconds,
      forecasts: try chosenMethods(outline).map { try scenario.forecast($0) }, layers: layers)
  }

  private func outline(_ input: PredictionInput) throws -> AdapterOutline {
    guard let groups = try layerGroups() else { return input.outline }
    let rank = adapterRank ?? input.outline.largestAdapterRank
    for group in groups where rank > min(group.outputs, group.inputs) {
      throw PredictionError(
        origin: "--adapter-rank",
        problem: "expected at most the smaller of \(group.outputs)×\(group.inputs), found \(rank)")
    }
    return AdapterOutline(layers: groups, adapterRank: rank)
  }

  private func layerGroups() throws -> [(count: Int, outputs: Int, inputs: Int)]? {
    try layers?.split(separator: ",", omittingEmptySubsequences: false).map { text in
      let parts = text.split(whereSeparator: { "x×".contains($0) }).map { Int($0) ?? 0 }
      guard parts.count == 3, parts.allSatisfy({ (1...1_000_000).contains($0) }) else {
        throw ValidationError("--layers: expected COUNTxOUTPUTSxINPUTS such as 64x4096x4096, found \(text)")
      }
      return (count: parts[0], outputs: parts[1], inputs: parts[2])
    }
  }

  private func chosenMethods(_ outline: AdapterOutline) throws -> [String] {
    if method == "all" { return outline.methods }
    let known = RunConfiguration.Method.Name.allCases.map(\.rawValue)
    guard known.contains(method) else {
      throw ConfigurationError(keyPath: "--method", unknown: method, valid: ["all"] + known)
    }
    guard outline.methods.contains(method) else {
      throw PredictionError(
        origin: "--method",
        problem: "expected a method that takes clients of several adapter ranks, as this run's "
          + "(\(outline.methods.joined(separator: ", "))), found \(method)")
    }
    return [method]
  }

  /// The network by its name, or by the file.
  private func target(_ input: PredictionInput) throws -> PredictionTarget {
    let isKnown = Network.named.contains { $0.name == network }
    if !isKnown, FileManager.default.fileExists(atPath: network) {
      return try targetOfFile(input)
    }
    switch try Network(network, origin: "--network") {
    case .internet(let client): return .internet(try federation([client]))
    case .cluster(let link):
      let spread = spread(input)
      guard let measured = input.collectives, measured.linkBytesPerSecond != nil else {
        return .cluster(ClusterModel(.formulas(link.line), spread: spread, library: input.library))
      }
      let basis = ClusterModel.Basis.measured(
        measured, bytesPerSecond: link.bytesPerSecond, latencySeconds: link.latencySeconds)
      return .cluster(ClusterModel(basis, spread: spread, library: input.library))
    }
  }

  private func targetOfFile(_ input: PredictionInput) throws -> PredictionTarget {
    let text = try PredictionInput.text(ofFileAt: network)
    guard text.first(where: { !$0.isWhitespace }) == "{" else {
      return .internet(try federation(ClientLink.table(csv: text, origin: network)))
    }
    let spread = spread(input)
    let measured = try PredictionInput.collectives(ofFileAt: network, ranksPerHost: spread.ranksPerHost)
    let basis = ClusterModel.Basis.measured(measured, bytesPerSecond: nil, latencySeconds: nil)
    return .cluster(ClusterModel(basis, spread: spread, library: input.library))
  }

  private func spread(_ input: PredictionInput) -> RankSpread {
    let own = input.profile.spread
    return RankSpread(
      rankCount: ranks ?? own.rankCount,
      ranksPerHost: ranksPerHost ?? (own.hostCount > 1 ? own.ranksPerHost : 1))
  }

  private func federation(_ clients: [ClientLink]) throws -> InternetFederation {
    guard case .cluster(let link) = try Network(serverLink, origin: "--server-link") else {
      throw PredictionError(
        origin: "--server-link", problem: "expected a cluster network's name or a rate, found \(serverLink)")
    }
    return InternetFederation(clients: clients, serverBytesPerSecond: link.bytesPerSecond)
  }
}
