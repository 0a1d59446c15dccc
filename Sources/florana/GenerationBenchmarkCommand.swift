internal import ArgumentParser
internal import MPI
internal import Simulation
internal import Telemetry
internal import Transformer

struct GenerationBenchmarkCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "generate",
    abstract: "Time greedy generation by a decoder on one thread, prompts of random tokens.",
    discussion: """
      Example:
        florana benchmark generate --model models/SmolLM2-135M-Instruct --prompts 8 --length 64
      """)

  @Option(help: "A Hugging Face checkpoint folder of a decoder.")
  var model: String

  @Option(help: PrecisionHelp.text)
  var precision = Precision.float32

  @Option(help: "Prompts that are continued together.")
  var prompts = 8

  @Option(help: "Tokens of a prompt.")
  var length = 64

  @Option(help: "Tokens by which each is continued.")
  var newTokens = 64

  @Flag(help: "Print one JSON object.")
  var json = false

  @OptionGroup var options: LaunchOptions

  func validate() throws {
    for (name, value) in [("prompts", prompts), ("length", length)] where !(1...1_000_000).contains(value) {
      throw ValidationError("--\(name): expected 1 to 1000000, found \(value)")
    }
    if newTokens < 2 { throw ValidationError("--new-tokens: expected at least 2, found \(newTokens)") }
  }

  func run() {
    Launch.run(blasThreads: options.blasThreads) { world in
      let benchmark = try world.togetherCheckingInput {
        try GenerationBenchmark(
          modelPath: model, precision: precision, prompts: prompts, length: length, newTokens: newTokens)
      }
      let result = benchmark.run()
      guard world.rank == 0 else { return }
      try Terminal.deliver(json ? result.json.line + "\n" : text(result))
    }
  }

  private func text(_ result: GenerationBenchmark.Result) -> String {
    """
    prompts: \(result.promptTokens) tokens, \(fixed(result.promptTokensPerSecond, 0)) tokens/s
    continuations: \(result.newTokens) tokens after the first of each, \(fixed(result.tokensPerSecond, 1)) tokens/s
    peak memory \(formattedBytes(result.peakBytes))

    """
  }
}
