internal import ArgumentParser
internal import Configuration
internal import Foundation
internal import MPI
internal import Simulation
internal import Telemetry

struct CollectivesCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "collectives",
    abstract: "Time the collective operations of a round by message size, beside the bare MPI calls.",
    discussion: """
      Examples:
        mpirun -np 4 florana benchmark collectives
        mpirun -np 4 florana benchmark collectives examples/sentiment.yaml
        mpirun -np 4 florana benchmark collectives --operations gather,broadcast --sizes 8,64KiB,16MiB --json
      """)

  @Argument(help: "Also measure the messages that this configuration's adapters have, served at the root.")
  var file: String?

  @OptionGroup var settings: ConfigurationSettings

  @Option(help: "Operations, of gather, gatherv, broadcast, allgather and allreduce.")
  var operations = "gather,gatherv,broadcast,allgather,allreduce"

  @Option(help: "Bytes of a rank's part; KiB and MiB are understood. Default: 8 B to 16 MiB.")
  var sizes: String?

  @Option(help: "Timed iterations of every size; default: as many as the size asks for.")
  var iterations: Int?

  @Flag(help: "Print one JSON object a line.")
  var json = false

  func validate() throws {
    if let iterations, !(1...1_000_000).contains(iterations) {
      throw ValidationError("--iterations: expected 1 to 1000000, found \(iterations)")
    }
    if file == nil, !settings.overrides.isEmpty {
      throw ValidationError("--set: expected a configuration to override, found none")
    }
    _ = try (chosenOperations(), chosenSizes())
  }

  func run() {
    Launch.run { world in
      let extra = try world.togetherCheckingInput { try configuredSizes(rankCount: world.size) }
      let benchmark = CollectiveBenchmark(iterations: iterations)
      if world.rank == 0, !json { try Terminal.deliver(Self.header(rankCount: world.size)) }
      for operation in try chosenOperations() {
        let own = extra.filter { $0.operation == operation }.map(\.byteCount)
        for size in try chosenSizes() + own {
          let result = try benchmark.run(operation, byteCount: size, world)
          if let result { try Terminal.deliver(json ? result.json.line + "\n" : Self.line(result)) }
        }
      }
    }
  }

  private func chosenOperations() throws -> [CollectiveBenchmark.Operation] {
    try operations.split(separator: ",").map { name in
      guard let operation = CollectiveBenchmark.Operation(rawValue: String(name)) else {
        let known = CollectiveBenchmark.Operation.allCases.map(\.rawValue).joined(separator: ", ")
        throw ValidationError("--operations: expected some of \(known), found \(name)")
      }
      return operation
    }
  }

  private func chosenSizes() throws -> [Int] {
    guard let sizes else { return (0..<8).map { 8 << (3 * $0) } }
    return try sizes.split(separator: ",").map { text in
      guard let size = Self.byteCount(String(text)), (4...1 << 30).contains(size), size % 4 == 0 else {
        throw ValidationError("--sizes: expected multiples of 4 bytes from 4 to 1024MiB, found \(text)")
      }
      return size
    }
  }

  /// `512`, `64KiB` or `1MiB`.
  private static func byteCount(_ text: String) -> Int? {
    let units = ["KiB": 1 << 10, "MiB": 1 << 20]
    guard let unit = units.first(where: { text.hasSuffix($0.key) }) else { return Int(text) }
    return Int(text.dropLast(3)).flatMap { $0 < 1 << 20 ? $0 * unit.value : nil }
  }

  /// The sizes that a configuration's gather and broadcast have.
  private func configuredSizes(
    rankCount: Int
  ) throws -> [(operation: CollectiveBenchmark.Operation, byteCount: Int)] {
    guard let file else { return [] }
    let experiment = try Experiment(RunConfiguration.load(path: file, overrides: settings.overrides))
    let sizes = experiment.messageByteCounts(rankCount: rankCount)
    return [(.gather, sizes.gather), (.gatherv, sizes.gather), (.broadcast, sizes.broadcast)]
  }

  private static func header(rankCount: Int) -> String {
    """
    \(rankCount) ranks; a size is that of one rank's part; mean time of an operation between the ranks' extremes;
    MB/s to the rank that receives most and the overhead over the bare call by the slowest rank's median
     operation      bytes  times      min µs     mean µs      max µs      MB/s  overhead %

    """
  }

  private static func line(_ result: CollectiveBenchmark.Result) -> String {
    func microseconds(_ seconds: Double) -> String { String(format: "%11.2f", seconds * 1e6) }
    let name = String(repeating: " ", count: 10 - result.operation.rawValue.count) + result.operation.rawValue
    return name + String(format: "%11d%7d ", result.byteCount, result.iterations)
      + [result.seconds.minimum, result.seconds.mean, result.seconds.maximum].map(microseconds)
      .joined(separator: " ")
      + String(format: "%10.1f%12.1f\n", result.bytesPerSecond * 1e-6, result.overhead * 100)
  }
}
