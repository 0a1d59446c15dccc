internal import Adapters
internal import ArgumentParser
internal import Configuration
internal import Foundation
internal import MPI
internal import Simulation
internal import Telemetry

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
      let (rank, rankCount) = (world.rank, world.size)
      let configuration = try world.together {
        try checkingInput { try RunConfiguration.load(path: file, overrides: overrides) }
      }
      let (experiment, federation) = try world.together {
        try checkingInput {
          let experiment = try Experiment(configuration)
          return (experiment, try Federation(experiment, rankCount: rankCount))
        }
      }
      let folder = output ?? RunRecorder.defaultFolder(for: file)
      let directory = try world.together {
        rank == 0 ? try checkingInput { try RunDirectory(creating: folder) } : nil
      }
      let hosts = try world.gatherStrings(MPIEnvironment.processorName, to: 0)
      var recorder = try RunRecorder(directory, experiment, hosts: hosts ?? [], isQuiet: quiet)
      let adapter = try federation.run(world) { try recorder?.record($0, $1) }
      try recorder?.finish(adapter)
    }
  }
}
