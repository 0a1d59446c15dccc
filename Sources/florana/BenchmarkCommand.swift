internal import ArgumentParser
internal import Foundation
internal import MPI
internal import Simulation
internal import Telemetry
internal import Transformer

struct BenchmarkCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "benchmark", abstract: "Measure a part of a run alone.",
    subcommands: [
      StepCommand.self, GenerationBenchmarkCommand.self, ClientsCommand.self, EstimateCommand.self,
      CollectivesCommand.self,
      ServersCommand.self,
    ])
}

struct StepCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "step",
    abstract: "Time the local training step on one thread: adapters of rank 8 on query and value.",
    discussion: """
      Examples:
        florana benchmark step --model models/all-MiniLM-L6-v2 --batch 32 --length 64
        florana benchmark step --model models/all-MiniLM-L6-v2 --data data/sentiment --batch 32
      """)

  @Option(help: "A Hugging Face checkpoint folder.")
  var model: String

  @Option(help: PrecisionHelp.text)
  var precision = Precision.float32

  @Option(help: "Rows of a step.")
  var batch = 32

  @Option(help: "Tokens of every row of random batches.")
  var length = 64

  @Option(help: "Take ragged batches from this prepared data set.")
  var data: String?

  @Option(help: "Timed steps.")
  var steps = 10

  @Option(help: "Untimed steps before them.")
  var warmUp = 2

  @Flag(help: "Print one JSON object.")
  var json = false

  @OptionGroup var options: LaunchOptions

  func validate() throws {
    for (name, value) in [("batch", batch), ("length", length), ("steps", steps)]
    where !(1...1_000_000).contains(value) {
      throw ValidationError("--\(name): expected 1 to 1000000, found \(value)")
    }
    if warmUp < 0 { throw ValidationError("--warm-up: expected at least 0, found \(warmUp)") }
  }

  func run() {
    Launch.run(blasThreads: options.blasThreads) { world in
      let input: StepBenchmark.Input =
        data.map { .data(folder: $0, batch: batch) }
        ?? .random(batch: batch, length: length)
      let benchmark = try world.togetherCheckingInput {
        try StepBenchmark(modelPath: model, precision: precision, input: input, steps: steps)
      }
      let result = benchmark.run(warmUpSteps: warmUp)
      guard world.rank == 0 else { return }
      try Terminal.deliver(json ? result.json.line + "\n" : text(result))
    }
  }

  private func text(_ result: StepBenchmark.Result) -> String {
    let shares = result.shares.map { "\($0.kernel) \(fixed(100 * $0.share, 1)) %" }.joined(separator: ", ")
    return """
      \(result.steps) steps, \(result.tokens) tokens, \(fixed(result.seconds, 3)) s: \
      \(fixed(result.tokensPerSecond, 0)) tokens/s, loss \(fixed(result.lossFirst, 4)) to \
      \(fixed(result.lossLast, 4))
      \(fixed(result.gigaflopsPerSecond, 1)) GFLOP/s; base and attention products alone at the same shapes \
      \(fixed(result.productOperationsPerSecond * 1e-9, 1)): share \(fixed(result.shareOfBLAS, 3)), step / products \
      \(fixed(result.ratioToProducts, 3))
      time: \(shares)
      evaluation: \(fixed(result.evaluatedTokensPerSecond, 0)) tokens/s, forward pass / its products \
      \(fixed(result.evaluationRatioToProducts, 3))
      memory: \(text(result.memory))

      """
  }

  private func text(_ memory: StepBenchmark.Memory) -> String {
    "peak \(formattedBytes(memory.peakBytes)); activations \(formattedBytes(memory.activationBytes)), "
      + "values, gradient and optimiser \(formattedBytes(memory.trainedBytes)), "
      + "mapped weights \(formattedBytes(memory.mappedBytes)), shared by the ranks of a node"
  }
}
