internal import Foundation
internal import Safetensors

/// The tensors of a checkpoint: of `model.safetensors`, or of the shards that `model.safetensors.index.json` lists.
struct WeightFiles: Sendable {
  static let singleName = "model.safetensors"
  static let indexName = "model.safetensors.index.json"

  /// The one file, or the index of several: for messages about what is in none of them.
  let path: String
  /// The tensors' names in ascending order.
  let names: [String]
  /// What the first file says of itself.
  let metadata: [String: String]
  /// The size of all files, in bytes.
  let byteCount: Int
  private let files: [String: SafetensorsFile]
  /// Nil where there are several.
  private let only: SafetensorsFile?

  /// Opens the files of a folder. Every tensor that the index lists has to be where it says.
  init(folder: String) throws {
    guard let index = try Self.index(of: folder) else {
      let file = try SafetensorsFile(path: folder + "/" + Self.singleName)
      (path, names, metadata, only) = (file.path, file.names, file.metadata, file)
      byteCount = file.byteCount
      files = Dictionary(uniqueKeysWithValues: file.names.map { ($0, file) })
      return
    }
    var shards: [String: SafetensorsFile] = [:]
    for name in Set(index.values) { shards[name] = try SafetensorsFile(path: folder + "/" + name) }
    for (tensor, shard) in index { _ = try shards[shard]!.tensor(named: tensor) }
    (path, names, only) = (folder + "/" + Self.indexName, index.keys.sorted(), nil)
    metadata = shards.min { $0.key < $1.key }?.value.metadata ?? [:]
    byteCount = shards.values.reduce(0) { $0 + $1.byteCount }
    files = index.mapValues { shards[$0]! }
  }

  /// The names of a folder's files of weights and, where there are several, of their index, in ascending order.
  static func fileNames(in folder: String) throws -> [String] {
    guard let index = try index(of: folder) else { return [singleName] }
    return Set(index.values).union([indexName]).sorted()
  }

  /// Which file each tensor is in; nil where there is one file alone, which goes before an index.
  private static func index(of folder: String) throws -> [String: String]? {
    let path = folder + "/" + indexName
    let exists = { FileManager.default.fileExists(atPath: $0) }
    guard !exists(folder + "/" + singleName), exists(path) else { return nil }
    let table = try ConfigurationTable(path: path)
    guard let map = try table.table("weight_map") else {
      throw ModelError.missingKey("weight_map", path: path)
    }
    return try Dictionary(uniqueKeysWithValues: map.keys.map { ($0, try fileName(map, $0)) })
  }

  /// A shard lies beside its index.
  private static func fileName(_ map: ConfigurationTable, _ tensor: String) throws -> String {
    let name: String = try map.value(tensor)
    guard !name.isEmpty, !name.contains("/") else {
      throw map.wrongValue(tensor, expected: "the name of a file of the folder", found: "\"\(name)\"")
    }
    return name
  }

  /// The tensor of that name, or nil.
  subscript(name: String) -> TensorDescription? { files[name]?[name] }

  /// The file that has, or alone could have, that tensor.
  func file(of name: String) throws -> SafetensorsFile {
    guard let file = files[name] ?? only else { throw ModelError.missingKey(name, path: path) }
    return file
  }

  func tensor(named name: String) throws -> TensorDescription { try file(of: name).tensor(named: name) }

  func floatArray(named name: String) throws -> [Float] { try file(of: name).floatArray(named: name) }
}
