internal import Aggregation
internal import Configuration
internal import Foundation
internal import Prediction
internal import Simulation
internal import Telemetry

/// What a prediction reads: a run's folder, and the collectives of its network where they were measured.
struct PredictionInput {
  let folder: String
  let profile: RunProfile
  let outline: AdapterOutline
  /// Of the run; nil where its choices of algorithms are not known.
  let library: MPILibrary?
  /// Measured in the job of the run.
  let collectives: MeasuredCollectives?
  let collectivesPath: String?
  /// Where the run's messages were not one gather and one broadcast, the model does not speak of them.
  let serverMode: RunConfiguration.Server.Mode
  /// What the run's messages carried; those of a prediction carry the same.
  let wire: RunConfiguration.Server.Wire

  /// - Throws: the first thing that is missing, damaged, or does not fit the rest.
  init(run: String, collectives chosen: String?) throws {
    folder = run
    let all = try RunDirectory.rounds(inRunAt: run)
    let environment = try RunDirectory.environment(inRunAt: run)
    // Of a resumed run those of the last job: earlier ones may have had other ranks.
    let rounds = Array(all.dropFirst(environment.resumedAfterRound ?? 0))
    profile = try RunProfile(rounds: rounds, hosts: environment.hosts, origin: run)
    library = MPILibrary(environment.mpi.library)
    let configuration = try RunConfiguration.load(path: RunDirectory.configurationPath(inRunAt: run))
    serverMode = configuration.server.mode
    wire = configuration.server.wire
    outline = try AdapterOutline(configuration)
    try Self.requireBytes(of: rounds[0], outline, configuration, run)
    let usual = URL(fileURLWithPath: run).appendingPathComponent("collectives.jsonl").relativePath
    collectivesPath = chosen ?? (FileManager.default.fileExists(atPath: usual) ? usual : nil)
    let spread = profile.spread
    collectives = try collectivesPath.map { path in
      let measured = try Self.collectives(ofFileAt: path, ranksPerHost: spread.ranksPerHost)
      guard measured.spread == spread else {
        throw PredictionError(
          origin: path,
          problem: "expected measurements on the run's \(spread.rankCount) ranks, "
            + "found \(measured.spread.rankCount)")
      }
      return measured
    }
  }

  /// The rounds must be those of the configuration: what they counted is what its adapter demands.
  private static func requireBytes(
    of round: RoundReport, _ outline: AdapterOutline, _ configuration: RunConfiguration, _ run: String
  ) throws {
    guard round.clients.allSatisfy({ (0..<configuration.clients.count).contains($0) }) else {
      throw PredictionError(
        origin: run,
        problem: "expected rounds of config.yaml's \(configuration.clients.count) clients, "
          + "found others in rounds.jsonl")
    }
    let method = configuration.method.name.rawValue
    let volume = try outline.volume(method: method, cohort: round.clients, round: round.round)
    let demanded = volume.clients.reduce(0) { $0 + $1.up } * configuration.server.wire.byteCount
    guard round.bytes.logicalUp == demanded else {
      throw PredictionError(
        origin: run,
        problem: "expected \(demanded) bytes up in round \(round.round) by config.yaml, "
          + "found \(round.bytes.logicalUp) in rounds.jsonl")
    }
  }

  /// The run's estimate for another number of clients, by the operations of its method.
  func estimateSeconds(clients: Int) throws -> Double {
    profile.seconds[.estimate, default: 0]
      * (try outline.estimateGrowth(method: profile.method, from: profile.clientCount, to: clients))
  }

  static func collectives(ofFileAt path: String, ranksPerHost: Int) throws -> MeasuredCollectives {
    let lines: [CollectiveMeasurement] = try jsonLines(
      ofFileAt: path, as: "florana benchmark collectives --json", "its output")
    return try MeasuredCollectives(lines, ranksPerHost: ranksPerHost, origin: path)
  }

  /// A network's file; a limit keeps a mistaken path from filling the memory.
  static func text(ofFileAt path: String) throws -> String {
    let size = try? FileManager.default.attributesOfItem(atPath: path)[.size] as? Int
    guard let size, size <= 1 << 28, let bytes = FileManager.default.contents(atPath: path),
      let text = String(data: bytes, encoding: .utf8)
    else {
      throw PredictionError(
        origin: path, problem: "expected a text file of at most 256 MiB, found something else")
    }
    return text
  }
}

/// Where a round is to be predicted.
enum PredictionTarget {
  case cluster(ClusterModel)
  case internet(InternetFederation)
}

/// One round elsewhere, method by method.
struct PredictionScenario {
  let input: PredictionInput
  let outline: AdapterOutline
  let cohort: Int
  let target: PredictionTarget
  /// Of the run's method; the work of others is not known, and they are given its seconds.
  let estimateSeconds: Double
  /// An adapter that is not the run's: the run says nothing of its work.
  let isOtherAdapter: Bool

  /// The mean of rounds 1 and 2: some methods send one factor in odd rounds and the other in even ones.
  func forecast(_ method: String) throws -> Forecast {
    Forecast(meanOf: try (1...2).map { try forecast(method, round: $0) })
  }

  private func forecast(_ method: String, round: Int) throws -> Forecast {
    let volume = try outline.volume(method: method, cohort: 0..<cohort, round: round)
    let floatBytes = input.wire.byteCount
    let bytes = MethodVolume(
      method: method, up: volume.clients.map { $0.up * floatBytes },
      down: volume.clients.map { $0.down * floatBytes },
      broadcast: volume.broadcastFloatCount * floatBytes)
    switch target {
    case .internet(let federation):
      let compute = input.profile.computeSecondsOfLoneClients(estimateSeconds: estimateSeconds)
      return Forecast(bytes, on: federation, compute: isOtherAdapter ? nil : compute)
    case .cluster(let model):
      let compute = input.profile.computeSeconds(
        clients: cohort, ranks: model.spread.rankCount, estimateSeconds: estimateSeconds)
      return Forecast(
        bytes, parts: parts(bytes.up, ranks: model.spread.rankCount), on: model,
        compute: isOtherAdapter ? nil : compute)
    }
  }

  /// Bytes of every rank, with neighbouring clients on one.
  private func parts(_ clients: [Int], ranks: Int) -> [Int] {
    let placement = Placement(kind: .block, clientCount: clients.count, rankCount: ranks)
    return clients.indices.reduce(into: [Int](repeating: 0, count: ranks)) { parts, client in
      parts[placement.rank(ofClient: client)] += clients[client]
    }
  }
}
