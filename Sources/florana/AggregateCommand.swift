internal import ArgumentParser
internal import Configuration
internal import Files
internal import Foundation
internal import MPI
internal import Simulation
internal import Telemetry

struct AggregateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "aggregate",
    abstract: "Aggregate PEFT adapters of one base model into one PEFT adapter.",
    discussion: """
      Prints how far each layer is from the weighted mean of the adapters' products: ρ, that of plain averaging, \
      that of the best adapter of this rank. With --wire ρ is that of the rounded result, ρ f32 that of the same \
      method without rounding, of which the closed gap is. The result has the first adapter's configuration, in F32.
      Examples:
        florana aggregate --method florana --output merged a b c --weights 3,5,2
        mpirun -np 4 florana aggregate --method florana-matrix --output merged sites/*
      """)

  @Option(
    help: "The aggregation method: fedit, florana, florana-matrix or another whose result is one adapter.")
  var method: String

  @Option(help: "The folder for the result; it must not hold an adapter.")
  var output: String

  @Argument(help: "PEFT folders: adapter_config.json and adapter_model.safetensors.")
  var adapters: [String]

  @Option(help: "Positive numbers, one an adapter, separated by commas. Default: all the same.")
  var weights: String?

  @Option(
    help:
      "Round the adapters and the result to what a message of f32, bf16 or f16 carries, and say what it costs."
  )
  var wire = RunConfiguration.Server.Wire.f32.rawValue

  @Option(help: "Write the figures here as one JSON object.")
  var json: String?

  @OptionGroup var options: LaunchOptions

  func validate() throws { _ = try parsedWeights() }

  func run() {
    Launch.run(blasThreads: options.blasThreads) { world in
      let rank = world.rank
      let aggregation = try world.togetherCheckingInput {
        if rank == 0 { try requireWritableFolder(of: json, option: "--json") }
        return try AdapterAggregation(
          method: method, folders: adapters, weights: parsedWeights(), output: output, wire: parsedWire())
      }
      let report = try aggregation.run(world)
      try world.together {
        guard let report else { return }
        if let json { try replaceFile(at: json, with: report.json.document) }
        try Terminal.deliver(report.table)
      }
    }
  }

  private func parsedWire() throws -> RunConfiguration.Server.Wire {
    guard let parsed = RunConfiguration.Server.Wire(rawValue: wire) else {
      let valid = RunConfiguration.Server.Wire.allCases.map(\.rawValue)
      throw ConfigurationError(keyPath: "--wire", unknown: wire, valid: valid)
    }
    return parsed
  }

  private func parsedWeights() throws -> [Double]? {
    try weights?.split(separator: ",", omittingEmptySubsequences: false).map { text in
      let text = text.trimmingCharacters(in: .whitespaces)
      guard let weight = Double(text), weight > 0, weight.isFinite else {
        throw ValidationError("--weights: expected positive numbers such as 3,5,2, found \"\(text)\"")
      }
      return weight
    }
  }
}
