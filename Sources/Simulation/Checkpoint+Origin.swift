internal import ClientData
internal import Configuration
internal import Telemetry
internal import Transformer

extension Checkpoint {
  /// What a run's rounds follow from beside its configuration.
  public struct Origin: Codable, Sendable, Equatable {
    /// The files of model and data by the part of the configuration and their name: `model/config.json`.
    let files: [String: FileFingerprint]
    /// The kinds of BLAS that computed some of the rounds, each once: to them belong the results' last bits.
    public private(set) var arithmetic: [String]

    /// Looks at the files of the experiment, and at the BLAS of every rank, one text each.
    ///
    /// - Throws: if a file cannot be read.
    public init(_ experiment: Experiment, arithmetic: [String]) throws {
      files = try experiment.inputFiles().mapValues { try FileFingerprint(ofFileAt: $0) }
      self.arithmetic = Set(arithmetic).sorted()
    }

    /// Refuses to go on from other files than the run began with.
    ///
    /// - Throws: an error that names the first file that has changed.
    public func requireFiles(of begun: Origin, _ experiment: Experiment) throws {
      for (name, path) in try experiment.inputFiles().sorted(by: { $0.key < $1.key })
      where files[name] != begun.files[name] {
        func shown(_ file: FileFingerprint?) -> String { file.map { "\($0)" } ?? "no such file" }
        throw CheckpointError(
          path: path,
          problem: "expected the file as the run began, \(shown(begun.files[name])); found another, "
            + shown(files[name]))
      }
    }

    /// This one's files, and the BLAS of both.
    public func following(_ begun: Origin) -> Origin {
      var result = self
      result.arithmetic = Set(arithmetic + begun.arithmetic).sorted()
      return result
    }
  }
}

extension Experiment {
  /// The paths of the files from which a run's results follow.
  fileprivate func inputFiles() throws -> [String: String] {
    let model = try ModelFolder.fileNames(in: configuration.model.path)
    let data =
      ["dataset.json"]
      + dataset.description.splits.keys.flatMap { split in dataset.fileNames(ofSplit: split) }
    func paths(_ part: String, _ folder: String, _ names: [String]) -> [(String, String)] {
      names.map { ("\(part)/\($0)", "\(folder)/\($0)") }
    }
    return Dictionary(
      uniqueKeysWithValues: paths("model", configuration.model.path, model)
        + paths("data", configuration.data.path, data))
  }
}
