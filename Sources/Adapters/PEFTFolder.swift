internal import Foundation
public import LinearAlgebra
internal import Safetensors

/// A linear layer's factors in a PEFT file.
public struct PEFTLayer: Sendable, Equatable {
  /// The module's path in the base model.
  public let name: String
  /// Rows of the base weight, d.
  public let outputs: Int
  /// Columns of the base weight, k.
  public let inputs: Int
  /// The rank r of the factors.
  public let adapterRank: Int
  public let alpha: Double
  /// α/r, or α/√r for rank-stabilised LoRA.
  public let scaling: Double
  /// The tensors' names in the file.
  fileprivate let a: String
  fileprivate let b: String
}

/// An adapter's folder as PEFT leaves it, opened without its model: layers are found by the names of their
/// tensors, never by shape.
///
/// The file is mapped. What is read is copied and its pages are given back, so that memory holds no more of
/// the file than the caller keeps.
public struct PEFTFolder: Sendable {
  public let path: String
  public let settings: PEFTSettings
  /// In the order of their names, in which numbers count as numbers: `layer.2` before `layer.10`.
  public let layers: [PEFTLayer]
  /// The tensors of `modules_to_save`, in ascending order of their names.
  public let savedTensors: [HeadTensor]
  private let file: SafetensorsFile
  private let firstTensor: TensorDescription
  private let lastTensor: TensorDescription

  /// Opens the folder and checks every tensor's name and shape.
  public init(path: String) throws {
    self.path = path
    settings = try PEFTSettings(folder: path)
    let file = try SafetensorsFile(path: path + "/" + PEFTAdapter.weightsFileName)
    self.file = file
    let descriptions = try file.names.map { try file.tensor(named: $0) }
      .sorted { $0.byteRange.lowerBound < $1.byteRange.lowerBound }
    guard let first = descriptions.first, let last = descriptions.last else {
      throw PEFTError.noFactors(path: file.path)
    }
    (firstTensor, lastTensor) = (first, last)
    var tensors = FoundTensors()
    for name in file.names { try tensors.add(name, settings, file.path) }
    let settings = settings
    layers = try tensors.factors.sorted { $0.key.compare($1.key, options: .numeric) == .orderedAscending }
      .map { try PEFTLayer(name: $0, tensors: $1, settings, file) }
    guard !layers.isEmpty else { throw PEFTError.noFactors(path: file.path) }
    savedTensors = try tensors.saved.map { HeadTensor(name: $0, shape: try file.tensor(named: $0).shape) }
  }

  /// The weights' file.
  public var weightsPath: String { file.path }

  /// The layer of that name, or nil.
  public subscript(name: String) -> PEFTLayer? { layers.first { $0.name == name } }

  /// Copies of a layer's factors: `a` is adapterRank × inputs, `b` outputs × adapterRank.
  public func factors(of layer: PEFTLayer) throws -> (a: Matrix<Float>, b: Matrix<Float>) {
    let a = Matrix(rows: layer.adapterRank, columns: layer.inputs, elements: try read(layer.a))
    let b = Matrix(rows: layer.outputs, columns: layer.adapterRank, elements: try read(layer.b))
    return (a, b)
  }

  /// A copy of a tensor of `modules_to_save`.
  public func values(of tensor: HeadTensor) throws -> [Float] { try read(tensor.name) }

  private func read(_ name: String) throws -> [Float] {
    defer { releasePages() }
    return try file.floatArray(named: name)
  }

  /// Gives the mapped pages of all tensors back to the system, which reads them again if need be: not only
  /// those of the tensor just read, since the system maps some on either side as well. Nothing of the mapping is
  /// lent to anyone.
  private func releasePages() {
    guard let start = file.bytes(of: firstTensor).baseAddress else { return }
    let end = file.bytes(of: lastTensor)
    let lead = Int(bitPattern: start) % Int(getpagesize())
    let byteCount = (end.baseAddress ?? start) - start + end.count
    // Advice: where it is not taken, the pages stay until memory is short. The page that holds the first byte
    // and the one that holds the last belong to this mapping alone.
    _ = madvise(UnsafeMutableRawPointer(mutating: start - lead), byteCount + lead, MADV_DONTNEED)
  }
}

/// The tensors of a file by what their names say.
private struct FoundTensors {
  struct Factors {
    var a: String?
    var b: String?
  }

  /// By layer.
  var factors: [String: Factors] = [:]
  var saved: [String] = []

  mutating func add(_ name: String, _ settings: PEFTSettings, _ path: String) throws {
    guard name.hasPrefix(PEFTAdapter.prefix) else {
      throw PEFTError.unsupported(
        key: name, path: path, expected: "a name that begins with \(PEFTAdapter.prefix)", found: "another")
    }
    let parts = name.dropFirst(PEFTAdapter.prefix.count).split(separator: ".")
    if let position = Self.positionOfFactor(parts) {
      let layer = parts[..<position].joined(separator: ".")
      let side = parts[position] == "lora_A" ? \Factors.a : \Factors.b
      guard factors[layer]?[keyPath: side] == nil else {
        throw PEFTError.unsupported(
          key: name, path: path, expected: "one \(parts[position]) of the layer", found: "several")
      }
      factors[layer, default: Factors()][keyPath: side] = name
    } else if Self.isSaved(parts, settings) {
      saved.append(name)
    } else {
      throw PEFTError.unsupported(
        key: name, path: path,
        expected: "lora_A.weight or lora_B.weight of a linear layer, or a tensor of modules_to_save",
        found: "another")
    }
  }

  /// Where `lora_A` or `lora_B` stands in `….lora_A.weight` or, with the adapter's name,
  /// `….lora_A.default.weight`.
  private static func positionOfFactor(_ parts: [Substring]) -> Int? {
    guard parts.last == "weight" else { return nil }
    return [parts.count - 2, parts.count - 3].first { position in
      position > 0 && ["lora_A", "lora_B"].contains(parts[position])
    }
  }

  /// Whether a module around the tensor is one of `modules_to_save`, which name modules by the end of their
  /// path.
  private static func isSaved(_ parts: [Substring], _ settings: PEFTSettings) -> Bool {
    guard !parts.contains(where: { $0.hasPrefix("lora_") }) else { return false }
    return parts.indices.dropFirst().contains { end in
      let module = parts[..<end].joined(separator: ".")
      return settings.savedModules.contains { module.hasSuffix($0) }
    }
  }
}

extension PEFTLayer {
  fileprivate init(
    name: String, tensors: FoundTensors.Factors, _ settings: PEFTSettings, _ file: SafetensorsFile
  ) throws {
    func refuse(_ expected: String, _ found: String) -> PEFTError {
      .unsupported(key: name, path: file.path, expected: expected, found: found)
    }
    guard let a = tensors.a, let b = tensors.b else {
      throw refuse("both lora_A and lora_B", tensors.a == nil ? "lora_B alone" : "lora_A alone")
    }
    let (shapeOfA, shapeOfB) = (try file.tensor(named: a).shape, try file.tensor(named: b).shape)
    guard shapeOfA.count == 2, shapeOfB.count == 2, shapeOfA[0] == shapeOfB[1],
      (shapeOfA + shapeOfB).allSatisfy({ $0 > 0 })
    else { throw refuse("lora_A [r, inputs] and lora_B [outputs, r]", "\(shapeOfA) and \(shapeOfB)") }
    let rank = shapeOfA[0]
    let allowed = settings.adapterRanks(ofLayer: name)
    guard allowed.contains(rank) else {
      let expected = allowed.sorted().map(String.init).joined(separator: " or ")
      throw refuse("adapter rank \(expected), as adapter_config.json says", "\(rank)")
    }
    let alpha = try settings.alpha(ofLayer: name)
    self.init(
      name: name, outputs: shapeOfB[0], inputs: shapeOfA[1], adapterRank: rank, alpha: alpha,
      scaling: alpha / settings.divisor(adapterRank: rank), a: a, b: b)
  }
}
