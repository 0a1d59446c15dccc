internal import ArgumentParser
internal import Configuration
internal import Simulation
internal import Files
internal import Foundation
internal import MPI
internal import Telemetry

struct CompareCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compare",
    abstract: "Run several methods on the same data split, seeds and start, and set them side by side.",
    discussion: """
      Example:
        mpirun -np 2 florana compare examples/sentiment.yaml --methods fedit,florana,florana-matrix \\
          --seeds 1,2,3 --set training.rounds=5 --output runs/methods
      Leaves a run's folder for each method and seed, and compare.csv.
      """)

  @Argument(help: "The configuration, a YAML file; its seed and method are replaced.")
  var file: String

  @Option(help: "The methods, separated by commas.")
  var methods: String

  @Option(help: "The seeds, separated by commas. Default: the configuration's.")
  var seeds: String?

  @OptionGroup var settings: ConfigurationSettings

  @Option(help: "The comparison's folder. Default: runs/NAME-DATE-TIME.")
  var output: String?

  @Flag(help: "Print nothing but the results.")
  var quiet = false

  @OptionGroup var options: LaunchOptions

  func run() {
    Launch.run(blasThreads: options.blasThreads) { world in
      let configurations = try world.togetherCheckingInput { try self.configurations() }
      let folder = output ?? RunRecorder.defaultFolder(for: file)
      var runs: [Comparison.Run] = []
      for configuration in configurations {
        let (method, seed) = (configuration.method.name.rawValue, configuration.seed)
        let run = FederatedRun(configuration, folder: "\(folder)/\(method)-seed\(seed)", isQuiet: quiet)
        runs.append(Comparison.Run(method: method, seed: seed, rounds: try run.run(world)))
      }
      if world.rank == 0 { try report(Comparison(runs), folder) }
    }
  }

  /// One configuration a seed and method; all are checked before the first run.
  private func configurations() throws -> [RunConfiguration] {
    let names = methods.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
    let seedOverrides = (seeds?.split(separator: ",") ?? [""]).map { $0.isEmpty ? [] : ["seed=\($0)"] }
    guard !names.isEmpty else { throw ValidationError("--methods: expected at least one name, found none") }
    return try seedOverrides.flatMap { seed in
      try names.map { name in
        let configuration = try RunConfiguration.load(
          path: file, overrides: settings.overrides + seed + ["method.name=\(name)"])
        try requireAdapterRanksThatFitMethod(configuration)
        return configuration
      }
    }
  }

  private func report(_ comparison: Comparison, _ folder: String) throws {
    try replaceFile(at: "\(folder)/compare.csv", with: comparison.csv)
    Terminal.write("\n" + comparison.text + "\n" + comparison.correlations)
    Terminal.write("results: \(folder)/compare.csv\n")
  }
}
