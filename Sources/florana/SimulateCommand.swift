internal import ArgumentParser
internal import Configuration
internal import MPI
internal import Telemetry

struct SimulateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "simulate",
    abstract: "Run federated LoRA as a configuration file describes it.",
    discussion: """
      Example:
        mpirun -np 4 florana simulate examples/sentiment.yaml --set training.rounds=5 --output runs/try
      A run that was stopped goes on from its last checkpoint, on any number of ranks:
        mpirun -np 4 florana simulate --resume --output runs/try
      """)

  @Argument(help: "The configuration, a YAML file. With --resume it may be left out: the run's own is taken.")
  var file: String?

  @OptionGroup var settings: ConfigurationSettings

  @Option(help: "The run's folder; it must not hold another run. Default: runs/NAME-DATE-TIME.")
  var output: String?

  @Flag(help: "Go on with the run in the folder that --output names, from its last checkpoint.")
  var resume = false

  @Flag(help: "Print nothing while the run goes on.")
  var quiet = false

  @OptionGroup var options: LaunchOptions

  func validate() throws {
    if resume, output == nil {
      throw ValidationError("--resume: expected --output with the run's folder, found none")
    }
    if !resume, file == nil {
      throw ValidationError("expected the configuration's file, or --resume with --output; found neither")
    }
  }

  func run() {
    Launch.run(blasThreads: options.blasThreads) { world in
      let configuration = try load(world)
      let folder = output ?? RunRecorder.defaultFolder(for: file ?? "")
      _ = try FederatedRun(configuration, folder: folder, isQuiet: quiet, isResumed: resume).run(world)
    }
  }

  /// The configuration of the file or of the run that goes on, which rank 0 alone has.
  private func load(_ world: borrowing Communicator) throws -> RunConfiguration {
    if let file {
      return try world.togetherCheckingInput {
        try RunConfiguration.load(path: file, overrides: settings.overrides)
      }
    }
    let rank = world.rank
    var (path, text) = try world.together { () -> (String, String) in
      guard rank == 0, let output else { return ("", "") }
      return try checkingInput {
        let path = try RunDirectory(resuming: output).configurationPath
        return (path, try RunConfiguration.text(ofFileAt: path))
      }
    }
    try world.broadcastString(&path, from: 0)
    try world.broadcastString(&text, from: 0)
    return try world.togetherCheckingInput { [path, text] in
      try RunConfiguration(yaml: text, source: path, overrides: settings.overrides)
    }
  }
}
