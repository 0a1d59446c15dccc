internal import Safetensors

/// A checkpoint as Hugging Face stores it: `config.json` beside `model.safetensors`, or beside the index and the
/// shards of a large one.
///
/// Weights stored as F32, and matrices stored as BF16, are used where they lie in the mapped files, so that the
/// processes of one node share one physical copy; all else is converted to private Float32 copies.
public final class ModelFolder: @unchecked Sendable {
  // Sendable because nothing changes after `init`; the pointers are to memory that only `deinit` frees.

  /// The file of weights where there is one alone.
  public static let weightsFileName = WeightFiles.singleName

  public let path: String
  /// That of the products with this model's weights.
  let precision: Precision
  let configuration: ConfigurationTable
  let weights: WeightFiles
  /// Float32 copies of the tensors that are stored otherwise.
  private let converted: [String: UnsafeBufferPointer<Float>]

  /// Opens the folder and reads `config.json`; the weights stay on disk until they are used.
  public init(path: String, precision: Precision = .float32) throws {
    self.path = path
    self.precision = precision
    configuration = try ConfigurationTable(path: path + "/config.json")
    try configuration.requireAbsent("quantization_config")
    weights = try WeightFiles(folder: path)
    converted = try Self.converted(weights)
  }

  deinit { for copy in converted.values { copy.deallocate() } }

  /// The size of the mapped files of weights.
  public var mappedByteCount: Int { weights.byteCount }

  /// The names of the files from which a model's results follow: `config.json` and those of its weights.
  public static func fileNames(in path: String) throws -> [String] {
    try ["config.json"] + WeightFiles.fileNames(in: path)
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
    return .bfloat16(try weights.file(of: name).bfloat16s(named: name, shape: shape).baseAddress!)
  }

  private func floats(_ name: String, shape: [Int]) throws -> UnsafePointer<Float> {
    _ = try tensor(name, shape: shape)
    return try (converted[name] ?? weights.file(of: name).floats(named: name, shape: shape)).baseAddress!
  }

  private func tensor(_ name: String, shape: [Int]) throws -> TensorDescription {
    let file = try weights.file(of: name)
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

  private static func converted(_ weights: WeightFiles) throws -> [String: UnsafeBufferPointer<Float>] {
    var copies: [String: UnsafeBufferPointer<Float>] = [:]
    for name in weights.names {
      let tensor = try weights.tensor(named: name)
      guard [.float16, .bfloat16, .float64].contains(tensor.dataType), !isUsedAsStored(tensor) else {
        continue
      }
      let values = try weights.floatArray(named: name)
      let copy = UnsafeMutableBufferPointer<Float>.allocate(capacity: values.count)
      _ = copy.initialize(from: values)
      copies[name] = UnsafeBufferPointer(copy)
    }
    return copies
  }
}
