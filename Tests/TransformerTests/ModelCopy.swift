import Foundation
import Safetensors
import TestSupport

/// A tiny golden model in a folder of its own, each part of which a test can spoil.
final class ModelCopy {
  private let folder: TemporaryFolder
  private let original: String

  struct Weight {
    var shape: [Int]
    var values: [Float]
  }

  init(of model: String = "tiny") throws {
    original = "\(Golden.folder)/\(model)"
    folder = try TemporaryFolder()
    for name in try FileManager.default.contentsOfDirectory(atPath: original)
    where name == "config.json" || name.hasPrefix("model") {
      try FileManager.default.copyItem(atPath: "\(original)/\(name)", toPath: folder.path(of: name))
    }
  }

  var path: String { folder.path }
  var configurationPath: String { folder.path(of: "config.json") }
  var weightsPath: String { folder.path(of: "model.safetensors") }

  func write(configuration text: String) throws { try folder.write(text, to: "config.json") }

  /// Sets a key of `config.json` or of another file to a JSON value; nil removes it.
  func set(_ key: String, to json: String?, of file: String = "config.json") throws {
    let data = try Data(contentsOf: URL(filePath: folder.path(of: file)))
    var object = try JSONSerialization.jsonObject(with: data) as? [String: Any] ?? [:]
    object[key] = try json.map {
      try JSONSerialization.jsonObject(with: Data($0.utf8), options: .fragmentsAllowed)
    }
    try folder.write(JSONSerialization.data(withJSONObject: object), to: file)
  }

  /// Writes the golden weights, changed, in a floating-point type.
  func writeWeights(
    as dataType: SafetensorsDataType = .float32, _ change: (inout [String: Weight]) -> Void = { _ in }
  ) throws {
    let file = try SafetensorsFile(path: original + "/model.safetensors")
    var weights: [String: Weight] = [:]
    for name in file.names {
      weights[name] = try Weight(
        shape: file.tensor(named: name).shape, values: file.floatArray(named: name))
    }
    change(&weights)
    var writer = SafetensorsWriter()
    for (name, weight) in weights {
      weight.values.encoded(as: dataType).withUnsafeBytes {
        writer.add(name: name, shape: weight.shape, dataType: dataType, bytes: $0)
      }
    }
    try writer.write(to: weightsPath)
  }

  func removeWeights() throws { try remove("model.safetensors") }

  func remove(_ file: String) throws { try FileManager.default.removeItem(atPath: folder.path(of: file)) }
}

extension [Float] {
  /// The values rounded to nearest in another type; whole numbers in a type that has no fractions.
  fileprivate func encoded(as dataType: SafetensorsDataType) -> [UInt8] {
    switch dataType {
    case .float32: flatMap { $0.bitPattern.bytes }
    case .float64: flatMap { Double($0).bitPattern.bytes }
    case .float16: flatMap { Float16($0).bitPattern.bytes }
    case .bfloat16: flatMap { $0.brainFloat.bytes }
    case .int32: flatMap { Int32($0).bytes }
    default: preconditionFailure("no test needs \(dataType)")
    }
  }
}

extension Float {
  /// The upper half of the bits, rounded to nearest and to even between two.
  fileprivate var brainFloat: UInt16 {
    UInt16(truncatingIfNeeded: (bitPattern + 0x7FFF + (bitPattern >> 16 & 1)) >> 16)
  }
}

extension FixedWidthInteger {
  fileprivate var bytes: [UInt8] { withUnsafeBytes(of: littleEndian) { Array($0) } }
}
