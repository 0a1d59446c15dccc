internal import ArgumentParser
internal import Foundation
internal import MPI
internal import Simulation
internal import Telemetry

struct EstimateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "estimate",
    abstract: "Time the server's estimate of one layer beside the matrix products that it is made of.",
    discussion: """
      Examples:
        florana benchmark estimate --clients 32 --dimensions 4096x4096 --adapter-rank 16 --method florana
        florana benchmark estimate --clients 128 --method florana-matrix --json
      """)

  @Option(help: "Clients of the cohort.")
  var clients = 32

  @Option(help: "The layer's outputs and inputs, as 4096x4096 or 4096×4096.")
  var dimensions = Dimensions(outputs: 4096, inputs: 4096)

  @Option(help: "Rank of every client's adapter.")
  var adapterRank = 16

  @Option(help: "The aggregation rule.")
  var method = "florana"

  @Option(help: "How far clients are from their common factors, relative to them.")
  var spread = 0.1

  @Option(help: "Timed estimates; the median counts.")
  var repeats = 5

  @Flag(help: "Print one JSON object.")
  var json = false

  @OptionGroup var options: LaunchOptions

  func validate() throws {
    for (name, value) in [("clients", clients), ("adapter-rank", adapterRank), ("repeats", repeats)]
    where !(1...100_000).contains(value) {
      throw ValidationError("--\(name): expected 1 to 100000, found \(value)")
    }
    guard spread >= 0, spread.isFinite else {
      throw ValidationError("--spread: expected a number of at least 0, found \(spread)")
    }
    guard adapterRank <= min(dimensions.outputs, dimensions.inputs) else {
      throw ValidationError(
        "--adapter-rank: expected at most the smaller of \(dimensions), found \(adapterRank)")
    }
  }

  func run() {
    Launch.run(blasThreads: options.blasThreads) { world in
      let problem = EstimateBenchmark.Problem(
        clients: clients, outputs: dimensions.outputs, inputs: dimensions.inputs,
        adapterRank: adapterRank, spread: spread)
      let benchmark = try world.togetherCheckingInput { try EstimateBenchmark(problem, method: method) }
      guard world.rank == 0 else { return }
      let result = try benchmark.run(repeats: repeats)
      try Terminal.deliver(json ? result.json.line + "\n" : text(result))
    }
  }

  private func text(_ result: EstimateBenchmark.Result) -> String {
    func number(_ format: String, _ value: Double) -> String { String(format: format, value) }
    let product = result.yardstick == .gram ? "two Gram matrices" : "dense product"
    return """
      \(method), \(clients) clients, \(dimensions), adapter rank \(adapterRank), spread \(spread)
      estimate \(number("%.2f", 1e3 * result.seconds)) ms; \(product) alone \
      \(number("%.2f", 1e3 * result.productSeconds)) ms; ratio \(number("%.2f", result.ratio))
      \(rate(result))\
      peak memory \(number("%.1f", Double(result.peakBytes) / 1_048_576)) MiB\
      \(result.sweeps.map { "; \($0) sweeps" } ?? "")
      rho \(number("%.6g", result.rho)), FedIT \(number("%.6g", result.rhoFedIT)), \
      optimum \(number("%.6g", result.rhoOptimum))

      """
  }

  /// A line on the product's share of peak, where the estimate has one.
  private func rate(_ result: EstimateBenchmark.Result) -> String {
    guard let rate = result.gigaflopsPerSecond, let share = result.shareOfPeak else { return "" }
    return String(
      format: "%.1f GFLOP/s of that product, %.0f %% of the peak of %.1f\n", rate, 100 * share,
      result.peakGigaflopsPerSecond)
  }
}

/// A layer's outputs and inputs as a user writes them.
struct Dimensions: ExpressibleByArgument, CustomStringConvertible {
  let outputs: Int
  let inputs: Int

  init(outputs: Int, inputs: Int) {
    self.outputs = outputs
    self.inputs = inputs
  }

  init?(argument: String) {
    let parts = argument.split(whereSeparator: { "x×".contains($0) }).map { Int($0) }
    guard parts.count == 2, let outputs = parts[0], let inputs = parts[1],
      (1...1_000_000).contains(outputs), (1...1_000_000).contains(inputs)
    else { return nil }
    self.init(outputs: outputs, inputs: inputs)
  }

  var description: String { "\(outputs)×\(inputs)" }
  var defaultValueDescription: String { description }
}
