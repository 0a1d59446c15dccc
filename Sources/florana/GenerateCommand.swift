internal import ArgumentParser
internal import Files
internal import MPI
internal import Simulation
internal import Transformer

struct GenerateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "generate",
    abstract: "Continue the prompts of a prepared data set, greedily.",
    discussion: """
      Writes a JSON line a row: row, the tokens of the continuation, its text. Example:
        mpirun -np 2 florana generate --model models/SmolLM2-135M-Instruct --data data/svamp --limit 8 \\
          --output continuations.jsonl
      """)

  @Option(help: "A Hugging Face checkpoint folder of a decoder.")
  var model: String

  @Option(help: PrecisionHelp.text)
  var precision = Precision.float32

  @Option(help: "A prepared data set's folder, of a generation task.")
  var data: String

  @Option(help: "A PEFT adapter's folder.")
  var adapter: String?

  @Option(help: "The split whose prompts are continued.")
  var split = "test"

  @Option(help: "Continue this many prompts, spread evenly over the split. Default: all.")
  var limit: Int?

  @Option(help: "Prompts that are continued together; the continuations do not depend on it.")
  var batch = 16

  @Option(help: "Tokens of a continuation, at most.")
  var maximumNewTokens = 128

  @Option(help: "The file to write.")
  var output: String

  @OptionGroup var options: LaunchOptions

  func validate() throws {
    for (name, value) in [("limit", limit ?? 1), ("batch", batch), ("maximum-new-tokens", maximumNewTokens)]
    where !(1...1_000_000).contains(value) {
      throw ValidationError("--\(name): expected 1 to 1000000, found \(value)")
    }
  }

  func run() {
    Launch.run(blasThreads: options.blasThreads) { world in
      let rank = world.rank
      let generation = try world.togetherCheckingInput {
        if rank == 0 { try requireWritableFolder(of: output, option: "--output") }
        return try Generation(
          modelPath: model, dataPath: data, adapterPath: adapter, split: split, batch: batch, limit: limit,
          precision: precision, maximumNewTokens: maximumNewTokens)
      }
      let lines = try generation.run(world)
      try world.together {
        guard let lines else { return }
        try replaceFile(at: output, with: lines.map { $0 + "\n" }.joined())
      }
    }
  }
}
