internal import ArgumentParser
internal import Configuration
internal import MPI
internal import Simulation
internal import Telemetry

struct ServersCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "servers",
    abstract:
      "Time the exchange of a round under each server.mode: gather, estimate and broadcast, without training.",
    discussion: """
      Every mode serves the same updates in turn: those of all clients that take part in a round of the configuration,
      filled with numbers. Seconds are the slowest rank's, the median over the exchanges: of the whole exchange and of
      each phase by itself, so that phases add up to more than the whole where one rank waits for another's. That
      waiting is in wait where a barrier goes before the transfer (root, sharded), in broadcast with pipelined. MB is what comes to the rank to which most comes.
      Methods that change the base weights hold them three times, once for each mode.
      Examples:
        mpirun -np 4 florana benchmark servers examples/sentiment.yaml
        mpirun -np 4 florana benchmark servers examples/sentiment.yaml --clients 8,32,128 --set adapter.rank=32
      """)

  @Argument(help: "The configuration, a YAML file.")
  var file: String

  @Option(
    help: "Numbers of clients, separated by commas. Default: the configuration's.", transform: clientCounts)
  var clients: [Int]?

  @Option(help: "Timed exchanges of every mode.")
  var exchanges = 5

  @OptionGroup var settings: ConfigurationSettings

  @Flag(help: "Print one JSON object a line.")
  var json = false

  @OptionGroup var options: LaunchOptions

  func validate() throws {
    if !(1...100_000).contains(exchanges) {
      throw ValidationError("--exchanges: expected 1 to 100000, found \(exchanges)")
    }
  }

  func run() {
    Launch.run(blasThreads: options.blasThreads) { world in
      let experiments = try world.togetherCheckingInput { try configurations().map { try Experiment($0) } }
      var results: [ServerBenchmark.Result] = []
      for experiment in experiments {
        let found = try ServerBenchmark(experiment, exchanges: exchanges).run(world)
        results += found
        if json { try Terminal.deliver(found.map { $0.json.line + "\n" }.joined()) }
      }
      if world.rank == 0, !json { try Terminal.deliver(Self.text(results)) }
    }
  }

  private func configurations() throws -> [RunConfiguration] {
    let counts = clients?.map { ["clients.count=\($0)"] } ?? [[]]
    return try counts.map { try RunConfiguration.load(path: file, overrides: settings.overrides + $0) }
  }

  private static func text(_ results: [ServerBenchmark.Result]) -> String {
    let phases = ServerBenchmark.phases
    let header = ["method", "mode", "wire", "ranks", "cohort", "seconds"] + phases.map(\.rawValue) + ["MB"]
    return aligned(
      [header]
        + results.map { result in
          [
            result.method, result.mode.rawValue, result.wire.rawValue, "\(result.rankCount)",
            "\(result.cohortSize)",
            fixed(result.seconds, 4),
          ] + phases.map { fixed(result.phases[$0], 4) } + [fixed(Double(result.receivedByteCount) / 1e6, 2)]
        }, leading: 3)
  }
}
