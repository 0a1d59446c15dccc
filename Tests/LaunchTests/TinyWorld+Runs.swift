import Foundation
import LaunchSupport
import Safetensors
import Telemetry
import TestSupport

extension TinyWorld {
  static let program = Job.productsFolder.appending(path: "florana").path

  /// Runs the program in this world's folder.
  func florana(_ arguments: [String], ranks: Int?) throws -> Job.Outcome {
    try Job.run([Self.program] + arguments, ranks: ranks, folder: folder)
  }

  /// Runs `simulate` into the folder `output`, with overrides of the configuration.
  func simulate(_ output: String, _ settings: [String] = [], ranks: Int?) throws -> Job.Outcome {
    try florana(
      ["simulate", "tiny.yaml", "--output", output] + settings.flatMap { ["--set", $0] }, ranks: ranks)
  }

  /// The tensors of a run's adapter by name.
  func adapter(_ output: String) throws -> [String: [Float]] {
    let file = try SafetensorsFile(path: "\(folder.path)/\(output)/adapter/adapter_model.safetensors")
    return try Dictionary(uniqueKeysWithValues: file.names.map { ($0, try file.floatArray(named: $0)) })
  }

  func adapterHash(_ output: String) throws -> String {
    try SHA256.hexDigest(ofFileAt: "\(folder.path)/\(output)/adapter/adapter_model.safetensors")
  }

  func rounds(_ output: String) throws -> [RoundReport] {
    try RunDirectory.rounds(inRunAt: "\(folder.path)/\(output)")
  }

  /// What the rounds report, without times and without the bytes between ranks.
  func results(_ output: String) throws -> [RoundReport] {
    try rounds(output).map { round in
      var round = round
      round.seconds = [:]
      round.bytes.gathered = 0
      round.bytes.broadcast = 0
      return round
    }
  }

  func layers(_ output: String) throws -> [LayerReport] {
    try RunDirectory.layers(inRunAt: "\(folder.path)/\(output)")
  }
}
