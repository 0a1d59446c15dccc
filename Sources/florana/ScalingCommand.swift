internal import ArgumentParser
internal import Configuration
internal import Foundation
internal import MPI
internal import Simulation
internal import Telemetry

struct ScalingCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "scaling",
    abstract: "Time the rounds of one configuration with several numbers of clients.",
    discussion: """
      Strong scaling (the default): every row takes the same number of local steps a round, shared evenly by the
      clients that take part; --clients are numbers of clients. The number is that of a round of the configuration,
      rounded up until all rows share it evenly, or --total-steps. With training.epochs the clients share the data.
      Weak scaling (--weak): every client takes the configuration's local steps, so that the work grows with the
      clients; --clients are numbers of clients a rank.
      The first round of every row is not timed, and nothing is evaluated unless --evaluate is given.
      Speed-up is trained tokens a second over the first row's; efficiency is the same by rank.
      Examples:
        mpirun -np 2 florana scaling examples/sentiment.yaml --clients 4,16,64
        mpirun -np 2 florana scaling examples/sentiment.yaml --clients 2,8 --weak --rounds 5 --output runs/weak
      Leaves scaling.csv in the folder; scripts/scaling.sh sweeps numbers of ranks, scripts/plot.py draws.
      """)

  @Argument(help: "The configuration, a YAML file; its numbers of clients, steps and rounds are replaced.")
  var file: String

  @Option(
    help: "Numbers of clients, separated by commas; with --weak, of clients a rank.", transform: clientCounts)
  var clients: [Int]

  @Flag(help: "Keep the local steps of a client, not those of a round.")
  var weak = false

  @Option(help: "Timed rounds of every row.")
  var rounds = 3

  @Option(help: "Local steps of all clients in a round of strong scaling.")
  var totalSteps: Int?

  @Flag(help: "Evaluate in every round as the configuration says, and time it.")
  var evaluate = false

  @OptionGroup var settings: ConfigurationSettings

  @Option(help: "The folder of scaling.csv. Default: runs/NAME-DATE-TIME.")
  var output: String?

  @Flag(help: "Print nothing but the results.")
  var quiet = false

  @OptionGroup var options: LaunchOptions

  func validate() throws {
    if !(1...100_000).contains(rounds) {
      throw ValidationError("--rounds: expected 1 to 100000, found \(rounds)")
    }
    if let totalSteps, totalSteps < 1 {
      throw ValidationError("--total-steps: expected at least 1, found \(totalSteps)")
    }
  }

  func run() {
    Launch.run(blasThreads: options.blasThreads) { world in
      let (rank, rankCount) = (world.rank, world.size)
      let (plan, configurations) = try world.togetherCheckingInput { try planned(rankCount: rankCount) }
      let folder = output ?? RunRecorder.defaultFolder(for: file)
      let directory = try world.together {
        rank == 0 ? try checkingInput { try RunDirectory(creating: folder, for: "scaling.csv") } : nil
      }
      let hosts = Set(try world.allgatherStrings(MPIEnvironment.processorName)).count
      if rank == 0 { tellPlan(plan, rankCount: rankCount, hosts: hosts) }
      var table = ScalingTable()
      for (row, configuration) in zip(plan.rows, configurations) {
        let experiment = try world.togetherCheckingInput { try Experiment(configuration) }
        let sweep = ScalingMeasurement(experiment, isEvaluated: evaluate)
        guard let measured = try sweep.run(world) else { continue }
        table.append(
          ScalingTable.Row(
            mode: plan.mode.rawValue, ranks: rankCount, hosts: hosts, clients: row.clientCount,
            stepsPerClient: row.stepsPerClient, rounds: measured.rounds, wallSeconds: measured.wallSeconds,
            steps: measured.steps, tokens: measured.tokens, peakByteCount: measured.peakByteCount))
        // A sweep that dies leaves the rows that it had.
        try directory?.write(table.csv, to: "scaling.csv")
        if !quiet { Terminal.write("\(row.clientCount) clients: \(shown(measured.wallSeconds)) a round\n") }
      }
      guard let directory else { return }
      Terminal.write("\n" + table.text + "\nresults: \(directory.path(of: "scaling.csv"))\n")
    }
  }

  /// All rows' configurations, checked before the first round: one round that is not timed, then those that are.
  private func planned(rankCount: Int) throws -> (ScalingPlan, [RunConfiguration]) {
    let plan = try ScalingPlan(
      weak ? .weak : .strong, counts: clients, rankCount: rankCount, totalSteps: totalSteps,
      of: .load(path: file, overrides: settings.overrides))
    return (
      plan,
      try plan.rows.map { row in
        try RunConfiguration.load(
          path: file, overrides: settings.overrides + row.overrides(rounds: rounds + 1))
      }
    )
  }

  private func tellPlan(_ plan: ScalingPlan, rankCount: Int, hosts: Int) {
    guard !quiet else { return }
    let work =
      switch (plan.mode, plan.totalSteps) {
      case (.strong, let total?): "\(total) local steps a round, shared by its clients"
      case (.strong, nil): "the data, shared by the clients"
      case (.weak, _): "the same local steps a client"
      }
    Terminal.write(
      "\(plan.mode.rawValue) scaling: \(work); ranks: \(rankCount), hosts: \(hosts); timed rounds: \(rounds), "
        + "after one that is not\n")
  }

  private func shown(_ seconds: [Double]) -> String {
    formattedDuration(seconds: Spread(of: seconds).mean)
  }
}
