internal import ArgumentParser
internal import Configuration
internal import MPI

struct SimulateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "simulate",
    abstract: "Run federated LoRA as a configuration file describes it.",
    discussion: """
      Example:
        mpirun -np 4 florana simulate examples/sentiment.yaml --set training.rounds=5 --output runs/try
      """)

  @Argument(help: "The configuration, a YAML file.")
  var file: String

  @Option(name: .customLong("set"), help: "Override a key: key.path=value. May be repeated.")
  var overrides: [String] = []

  @Option(help: "The run's folder; it must not hold another run. Default: runs/NAME-DATE-TIME.")
  var output: String?

  @Flag(help: "Print nothing while the run goes on.")
  var quiet = false

  @OptionGroup var options: LaunchOptions

  func run() {
    Launch.run(blasThreads: options.blasThreads) { world in
      let configuration = try world.together {
        try checkingInput { try RunConfiguration.load(path: file, overrides: overrides) }
      }
      let folder = output ?? RunRecorder.defaultFolder(for: file)
      _ = try FederatedRun(configuration, folder: folder, isQuiet: quiet).run(world)
    }
  }
}
