internal import Foundation
internal import LinearAlgebra
public import Safetensors

/// A checkpoint as Hugging Face stores it: `config.json` beside `model.safetensors`.
///
/// Weights stored as F32, and matrices stored as BF16, are used where they lie in the mapped file, so that the
/// processes of one node share one physical copy; all else is converted to private Float32 copies.
public final class ModelFolder: @unchecked Sendable {
  // Sendable because nothing changes after `init`; the pointers are to memory that only `deinit` frees.

  public static let weightsFileName = "model.safetensors"

  public let path: String
  public let file: SafetensorsFile
  /// That of the products with this model's weights.
  let precision: Precision
  let configuration: [String: any Sendable]
  /// Float32 copies of the tensors that are stored otherwise.
  private let converted: [String: UnsafeBufferPointer<Float>]

  /// Opens the folder and reads `config.json`; the weights stay on disk until they are used.
  public init(path: String, precision: Precision = .float32) throws {
    self.path = path
    self.precision = precision
    configuration = try Self.readConfiguration(path + "/config.json")
    file = try SafetensorsFile(path: path + "/" + Self.weightsFileName)
    converted = try Self.converted(file)
  }

  deinit { for copy in converted.values { copy.deallocate() } }

  private static func readConfiguration(_ path: String) throws -> [String: any Sendable] {
    let data: Data
    do { data = try Data(contentsOf: URL(fileURLWithPath: path)) } catch {
      throw ModelError.unreadable(
        path: path,
        reason: FileManager.default.fileExists(atPath: path) ? "permission or input error" : "no such file")
    }
    guard let object = try? JSONSerialization.jsonObject(with: data) as? [String: any Sendable] else {
      throw ModelError.unreadable(path: path, reason: "expected a JSON object")
    }
    return object
  }

  /// The size of the mapped weights' file.
  public var mappedByteCount: Int { file.byteCount }

  /// The path of `config.json`, for messages.
  var configurationPath: String { path + "/config.json" }

  /// The value of a key that has to be there.
  func value<Value>(_ key: String, as type: Value.Type = Value.self) throws -> Value {
    guard let value: Value = try optionalValue(key) else {
      throw ModelError.missingKey(key, path: configurationPath)
    }
    return value
  }

  /// The value of a key that may be absent or null.
  func optionalValue<Value>(_ key: String, as type: Value.Type = Value.self) throws -> Value? {
    guard let found = configuration[key], !(found is NSNull) else { return nil }
    guard let value = found as? Value else {
      throw ModelError.wrongValue(
        key: key, path: configurationPath, expected: Self.expectation(of: type), found: Self.json(found))
    }
    return value
  }

  private static func expectation(of type: Any.Type) -> String {
    switch type {
    case is Int.Type: "a whole number"
    case is Double.Type: "a number"
    case is Bool.Type: "true or false"
    default: "a text"
    }
  }

  /// A value as `config.json` holds it, on one line.
  private static func json(_ value: any Sendable) -> String {
    let data = try? JSONSerialization.data(withJSONObject: value, options: [.fragmentsAllowed, .sortedKeys])
    return data.map { String(decoding: $0, as: UTF8.self) } ?? "\(value)"
  }

  /// A positive whole number of `config.json`.
  func size(_ key: String) throws -> Int {
    let value: Int = try value(key)
    guard value > 0 else {
      throw ModelError.wrongValue(
        key: key, path: configurationPath, expected: "a positive whole number", found: "\(value)")
    }
    return value
  }

  /// A frozen matrix, lent as long as this folder lives.
  func matrix(_ name: String, rows: Int, columns: Int) throws -> FrozenMatrix {
    FrozenMatrix(
      storage: try storage(name, shape: [rows, columns]), rows: rows, columns: columns, precision: precision)
  }

  /// A frozen vector, lent as long as this folder lives.
  func vector(_ name: String, count: Int) throws -> UnsafePointer<Float> {
    try floats(name, shape: [count])
  }

  private func storage(_ name: String, shape: [Int]) throws -> FrozenMatrix.Storage {
    let tensor = try tensor(name, shape: shape)
    guard Self.isUsedAsStored(tensor), tensor.dataType == .bfloat16 else {
      return .float32(try floats(name, shape: shape))
    }
    return .bfloat16(try file.bfloat16s(named: name, shape: shape).baseAddress!)
  }

  private func floats(_ name: String, shape: [Int]) throws -> UnsafePointer<Float> {
    _ = try tensor(name, shape: shape)
    return try (converted[name] ?? file.floats(named: name, shape: shape)).baseAddress!
  }

  private func tensor(_ name: String, shape: [Int]) throws -> TensorDescription {
    let tensor = try file.tensor(named: name)
    guard tensor.shape == shape else {
      throw ModelError.wrongValue(
        key: name, path: file.path, expected: "shape \(shape)", found: "\(tensor.shape)")
    }
    return tensor
  }

  /// Whether a product or a look-up reads the tensor where it lies.
  private static func isUsedAsStored(_ tensor: TensorDescription) -> Bool {
    tensor.dataType == .float32 || tensor.dataType == .bfloat16 && tensor.shape.count == 2
  }

  private static func converted(_ file: SafetensorsFile) throws -> [String: UnsafeBufferPointer<Float>] {
    var copies: [String: UnsafeBufferPointer<Float>] = [:]
    for name in file.names {
      let tensor = try file.tensor(named: name)
      guard [.float16, .bfloat16, .float64].contains(tensor.dataType), !isUsedAsStored(tensor) else {
        continue
      }
      let values = try file.floatArray(named: name)
      let copy = UnsafeMutableBufferPointer<Float>.allocate(capacity: values.count)
      _ = copy.initialize(from: values)
      copies[name] = UnsafeBufferPointer(copy)
    }
    return copies
  }
}
