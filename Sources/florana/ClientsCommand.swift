internal import ArgumentParser
internal import Configuration
internal import MPI
internal import Simulation
internal import Telemetry

struct ClientsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "clients",
    abstract: "Time what it costs to go from one client to the next on a rank, beside their local steps.",
    discussion: """
      Every client of a round trains as in a run; everything but the local steps is the cost of the change: its
      factors and optimiser state, its choice of rows, its message.
      Example:
        florana benchmark clients examples/sentiment.yaml --clients 1000 --set training.steps=1 --set training.batch=1
      """)

  @Argument(help: "The configuration, a YAML file.")
  var file: String

  @Option(help: "Clients of the round. Default: the configuration's.")
  var clients: Int?

  @OptionGroup var settings: ConfigurationSettings

  @Flag(help: "Print one JSON object.")
  var json = false

  @OptionGroup var options: LaunchOptions

  func run() {
    Launch.run(blasThreads: options.blasThreads) { world in
      let benchmark = try world.togetherCheckingInput {
        let count = clients.map { ["clients.count=\($0)"] } ?? []
        return ClientBenchmark(try Experiment(.load(path: file, overrides: settings.overrides + count)))
      }
      guard world.rank == 0 else { return }
      let result = try benchmark.run()
      try Terminal.deliver(json ? result.json.line + "\n" : Self.text(result))
    }
  }

  private static func text(_ result: ClientBenchmark.Result) -> String {
    """
    \(result.clients) clients, \(result.steps) local steps of \
    \(fixed(1e3 * result.stepSeconds / Double(result.steps), 3)) ms
    from one client to the next: \(fixed(result.microsecondsPerClient, 1)) µs; \
    \(formattedBytes(result.addedBytes)) of memory for all

    """
  }
}
