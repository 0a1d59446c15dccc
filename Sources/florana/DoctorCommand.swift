internal import ArgumentParser
internal import ClientData
internal import Foundation
internal import LinearAlgebra
internal import MPI
internal import Telemetry
internal import Transformer

struct DoctorCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor",
    abstract: "Say what works here: MPI, BLAS, cores, memory, hosts, model and data files.",
    discussion: """
      Example:
        mpirun -np 4 florana doctor
      Exit status 1 when something that is there does not work.
      """)

  @Option(help: "Folder that holds model folders.")
  var models = "models"

  @Option(help: "Folder that holds prepared data sets.")
  var data = "data"

  func run() {
    Launch.run { world in
      let hosts = try world.gatherStrings(MPIEnvironment.processorName, to: 0)
      let sum = try world.allreduce(Int64(world.rank), .sum)
      let rate = Self.productRate()
      let rates = try world.gather(rate, to: 0)
      let rank = world.rank
      try world.together {
        guard rank == 0, let hosts, let rates else { return }
        try report(hosts, rates, sum: sum)
      }
    }
  }

  /// Prints a line for each thing that was looked at.
  ///
  /// - Throws: `DoctorError` when one of them does not work.
  private func report(_ hosts: [String], _ rates: [Double], sum: Int64) throws {
    var checks = Self.machine(hosts, rates, sum: sum)
    checks += Self.files(in: models, "model") { try Self.describeModel($0) }
    checks += Self.files(in: data, "data") { try Self.describeData($0) }
    Terminal.write(checks.map(\.line).joined())
    guard checks.allSatisfy(\.works) else { throw DoctorError() }
  }

  private static func machine(_ hosts: [String], _ rates: [Double], sum: Int64) -> [Check] {
    let expected = Int64(hosts.count * (hosts.count - 1) / 2)
    return [
      Check("florana", Version.number),
      Check("MPI", MPIEnvironment.libraryVersion),
      Check(
        "ranks", "\(hosts.count) on \(hostList(hosts)); a sum over all ranks is right",
        failure: sum == expected ? nil : "a sum over all ranks gave \(sum), expected \(expected)"),
      Check("BLAS", "\(BLASEnvironment.coreName) kernels, \(BLASEnvironment.configuration)"),
      Check("frozen products", "\(frozenProductInstructions) instructions"),
      Check("products", rateText(rates)),
      Check("cores", "\(ProcessInfo.processInfo.activeProcessorCount) on this host"),
      Check("memory", formattedBytes(Int(ProcessInfo.processInfo.physicalMemory)) + " on this host"),
    ]
  }

  private static func hostList(_ names: [String]) -> String {
    EnvironmentReport.Host.counting(names).map { "\($0.name) (\($0.ranks))" }.joined(separator: ", ")
  }

  /// GFLOP/s of Float32 products of MiniLM's size on this rank.
  private static func productRate() -> Double {
    let left = Matrix<Float>(rows: 1024, columns: 384), right = Matrix<Float>(rows: 384, columns: 1536)
    var best = Double.infinity
    for _ in 0..<5 {
      let watch = Stopwatch()
      _ = left.withView { left in right.withView { product(left, .asStored, $0) } }
      best = min(best, watch.elapsedSeconds)
    }
    return 2 * 1024 * 384 * 1536 / best / 1e9
  }

  private static func rateText(_ rates: [Double]) -> String {
    String(
      format: "%.0f to %.0f GFLOP/s a rank, one thread each, all ranks at once", rates.min()!, rates.max()!)
  }

  /// One check for each folder in `parent`; one line that says so where there is none.
  private static func files(
    in parent: String, _ kind: String, describe: (String) throws -> String
  ) -> [Check] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: parent).sorted()) ?? []
    let folders = names.map { parent + "/" + $0 }.filter(isFolder)
    guard !folders.isEmpty else { return [Check(kind, "none in \(parent)/; scripts/run.sh fetches one")] }
    return folders.map { folder in
      do { return Check(kind, "\(folder): \(try describe(folder))") } catch {
        return Check(kind, "", failure: "\(error)")
      }
    }
  }

  private static func describeModel(_ path: String) throws -> String {
    let model = try PretrainedModel(path: path)
    try model.requireWeights()
    return "\(model.hiddenSize) wide, vocabulary \(model.vocabularySize), \(model.positionCount) positions"
  }

  private static func describeData(_ path: String) throws -> String {
    let dataset = try Dataset(folder: path)
    let splits = try dataset.description.splits.keys.sorted().map {
      "\(try dataset.split($0).rowCount) \($0)"
    }
    let task =
      switch dataset.description.task {
      case .classification(let labels): "\(labels.count) labels"
      case .generation(let grader, _): "answers graded by \(grader)"
      }
    return splits.joined(separator: ", ") + " rows, \(task)"
  }
}

/// One thing that the doctor looked at.
private struct Check {
  let name: String
  let text: String
  let works: Bool

  init(_ name: String, _ text: String, failure: String? = nil) {
    self.name = name
    self.text = failure ?? text
    works = failure == nil
  }

  var line: String {
    "\(works ? "ok  " : "FAIL")  \(name.padding(toLength: 9, withPad: " ", startingAt: 0)) \(text)\n"
  }
}

/// Something that is there does not work; the report names it.
private struct DoctorError: Error, CustomStringConvertible {
  var description: String { "not everything works: see the lines that begin with FAIL" }
}
