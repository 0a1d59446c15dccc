public import Foundation
internal import Randomness
internal import Safetensors

/// A folder with all that a run needs, small: the two-layer model of the golden files, a made data set
/// whose labels can be learned, and a configuration. Each part can be spoiled by a test.
public final class TinyWorld {
  private let temporary: TemporaryFolder
  public var folder: URL { URL(filePath: temporary.path) }
  public var model: String { folder.path + "/model" }
  public var data: String { folder.path + "/data" }
  public var configuration: String { folder.path + "/tiny.yaml" }

  /// The world of an encoder of the golden files; the configuration's targets are a BERT's.
  public convenience init(encoder: String = "tiny") throws {
    try self.init(model: encoder, yaml: Self.yaml)
    try writeData()
  }

  /// With one of the golden files' models; the data are still to be written.
  init(model name: String, yaml: String) throws {
    temporary = try TemporaryFolder()
    let golden = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "TransformerTests/Golden/\(name)")
    try FileManager.default.createDirectory(atPath: model, withIntermediateDirectories: true)
    try FileManager.default.createDirectory(atPath: data, withIntermediateDirectories: true)
    for file in ["config.json", "model.safetensors"] {
      try FileManager.default.copyItem(
        at: golden.appending(path: file), to: URL(filePath: model + "/" + file))
    }
    try Data(yaml.utf8).write(to: URL(filePath: configuration))
  }

  private static let yaml = """
    seed: 3
    model: { path: model }
    adapter: { rank: 4, alpha: 8, targets: [query, value, output.dense], dropout: 0.1 }
    data: { path: data, maximum-length: 16, held-out: 0.2, partition: { kind: dirichlet, alpha: 0.5 } }
    clients: { count: 7 }
    training: { rounds: 2, steps: 3, batch: 4, learning-rate: 2e-3 }
    evaluate: { every: 1, oracle: true, batch: 16 }

    """

  /// 210 training and 60 test rows of 3 to 14 tokens; the label says from which third of the vocabulary
  /// most tokens come.
  public func writeData(labels change: (inout [Int32]) -> Void = { _ in }) throws {
    let train = try writeSplit("train", rows: 210, part: 0, change)
    let test = try writeSplit("test", rows: 60, part: 1) { _ in }
    let description = """
      {"format": "florana-dataset", "version": 1, "name": "tiny", "task": "classification",
       "labels": ["low", "middle", "high"], "groups": ["even", "odd"], "tokenizer": {"sha256": "none"},
       "maximumLength": 16, "splits": {"train": {"rows": 210, "tokens": \(train)},
       "test": {"rows": 60, "tokens": \(test)}}}
      """
    try Data(description.utf8).write(to: URL(filePath: data + "/dataset.json"))
  }

  private func writeSplit(
    _ name: String, rows: Int, part: Int, _ change: (inout [Int32]) -> Void
  ) throws -> Int {
    var stream = RandomStream(RandomKey(seed: 11, purpose: .test, part: part))
    var tokens: [Int32] = [], offsets: [Int64] = [0], labels: [Int32] = []
    for _ in 0..<rows {
      let label = stream.uniformInteger(below: 3)
      for _ in 0..<3 + stream.uniformInteger(below: 12) {
        let third = stream.uniformInteger(below: 10) < 8 ? label : stream.uniformInteger(below: 3)
        tokens.append(Int32(33 * third + stream.uniformInteger(below: 33)))
      }
      offsets.append(Int64(tokens.count))
      labels.append(Int32(label))
    }
    change(&labels)
    var writer = SafetensorsWriter()
    writer.add(name: "tokens", shape: [tokens.count], integers: tokens)
    writer.add(name: "offsets", shape: [offsets.count], integers: offsets)
    writer.add(name: "labels", shape: [rows], integers: labels)
    writer.add(name: "groups", shape: [rows], integers: (0..<rows).map { Int32($0 % 2) })
    try writer.write(to: "\(data)/\(name).safetensors")
    return tokens.count
  }

  /// The text of a file in the folder.
  public func text(_ path: String) throws -> String {
    try TestSupport.text(ofFileAt: temporary.path(of: path))
  }
}
