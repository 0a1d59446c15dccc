internal import Files
internal import Foundation
public import LinearAlgebra
internal import Safetensors

/// Collects the tensors of an adapter with the layers and scalings of another one, and writes its folder.
public struct PEFTFolderWriter: Sendable {
  private let model: PEFTFolder
  private var writer = SafetensorsWriter(metadata: ["format": "pt"])
  private var adapterRanks: [String: Int] = [:]

  public init(like model: PEFTFolder) { self.model = model }

  /// Adds a layer of the model adapter's: `a` is adapterRank × inputs and `b` outputs × adapterRank, with
  /// any adapter rank. They are applied with the model adapter's scaling.
  public mutating func add(_ layer: PEFTLayer, a: Matrix<Float>, b: Matrix<Float>) {
    precondition(
      a.columns == layer.inputs && b.rows == layer.outputs && a.rows == b.columns,
      "\(layer.name): factors \(b.rows)×\(b.columns) and \(a.rows)×\(a.columns)")
    let name = PEFTAdapter.prefix + layer.name
    writer.add(name: name + ".lora_A.weight", shape: [a.rows, a.columns], floats: a.elements)
    writer.add(name: name + ".lora_B.weight", shape: [b.rows, b.columns], floats: b.elements)
    adapterRanks[layer.name] = a.rows
  }

  /// Adds a tensor of `modules_to_save`.
  public mutating func add(_ tensor: HeadTensor, values: [Float]) {
    writer.add(name: tensor.name, shape: tensor.shape, floats: values)
  }

  /// Writes both files; the folder is made if it is missing. Every layer of the model adapter has to have
  /// been added.
  public func write(to folder: String) throws {
    let ranks = model.layers.map { layer in
      guard let rank = adapterRanks[layer.name] else { preconditionFailure("\(layer.name) is missing") }
      return rank
    }
    try makeFolder(at: folder)
    try writer.write(to: folder + "/" + PEFTAdapter.weightsFileName)
    let configuration = try model.settings.file(for: model.layers, adapterRanks: ranks)
    try replaceFile(at: folder + "/" + PEFTConfiguration.fileName, with: [configuration])
  }

  /// Refuses a folder that already holds an adapter.
  public static func requireRoom(at folder: String) throws {
    for name in [PEFTConfiguration.fileName, PEFTAdapter.weightsFileName]
    where FileManager.default.fileExists(atPath: folder + "/" + name) {
      throw PEFTError.occupied(folder: folder, file: name)
    }
  }
}
