import Foundation
import LaunchSupport
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

  func adapterHash(_ output: String) throws -> String {
    try SHA256.hexDigest(ofFileAt: "\(folder.path)/\(output)/adapter/adapter_model.safetensors")
  }

  func rounds(_ output: String) throws -> [RoundReport] {
    try RunDirectory.rounds(inRunAt: "\(folder.path)/\(output)")
  }

  func layers(_ output: String) throws -> [LayerReport] {
    try RunDirectory.layers(inRunAt: "\(folder.path)/\(output)")
  }
}
