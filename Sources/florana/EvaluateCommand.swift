internal import ArgumentParser
internal import Files
internal import Foundation
internal import MPI
internal import Simulation
internal import Telemetry
internal import Transformer

struct EvaluateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "evaluate",
    abstract: "Evaluate a model, or a PEFT adapter on it, on a prepared data set.",
    discussion: """
      Prints the metrics as one JSON object. Example:
        mpirun -np 2 florana evaluate --model models/all-MiniLM-L6-v2 --data data/sentiment \\
          --adapter runs/try/adapter --predictions predictions.jsonl
      """)

  @Option(help: "A Hugging Face checkpoint folder.")
  var model: String

  @Option(help: PrecisionHelp.text)
  var precision = Precision.float32

  @Option(help: "A prepared data set's folder.")
  var data: String

  @Option(help: "A PEFT adapter's folder.")
  var adapter: String?

  @Option(help: "The split to evaluate on.")
  var split = "test"

  @Option(help: "Rows of a forward pass.")
  var batch = 64

  @Option(help: "Cut rows to this many tokens, as the run did. Default: as prepared.")
  var maximumLength: Int?

  @Option(help: "Break off a generated answer after this many tokens.")
  var maximumNewTokens = 128

  @Option(help: "Evaluate this many rows, spread evenly over the split. Default: all.")
  var limit: Int?

  @Option(
    help:
      "Write a JSON line a row here: row, logits and the data's label; or the answer and whether it is right."
  )
  var predictions: String?

  @OptionGroup var options: LaunchOptions

  func validate() throws {
    if !(1...1_000_000).contains(batch) {
      throw ValidationError("--batch: expected 1 to 1000000, found \(batch)")
    }
    if maximumNewTokens < 1 {
      throw ValidationError("--maximum-new-tokens: expected at least 1, found \(maximumNewTokens)")
    }
    if let limit, limit < 1 { throw ValidationError("--limit: expected at least 1, found \(limit)") }
    if let maximumLength, maximumLength < 3 {
      throw ValidationError("--maximum-length: expected at least 3, found \(maximumLength)")
    }
  }

  func run() {
    Launch.run(blasThreads: options.blasThreads) { world in
      let rank = world.rank
      let evaluation = try world.togetherCheckingInput {
        if rank == 0 { try requireWritableFolder(of: predictions, option: "--predictions") }
        return try ModelEvaluation(
          modelPath: model, dataPath: data, adapterPath: adapter, split: split, batch: batch,
          maximumLength: maximumLength, precision: precision, maximumNewTokens: maximumNewTokens, limit: limit
        )
      }
      let result = try evaluation.run(world)
      try world.together {
        guard let (metrics, rows) = result else { return }
        if let predictions { try replaceFile(at: predictions, with: rows.map { $0 + "\n" }.joined()) }
        try Terminal.deliver(metrics.json.line + "\n")
      }
    }
  }
}
