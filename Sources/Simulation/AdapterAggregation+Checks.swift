internal import Adapters

extension PEFTFolder {
  /// Refuses an adapter with other layers, other shapes or other saved tensors than this one.
  func requireFit(of other: PEFTFolder) throws {
    func mismatch(_ item: String, _ expected: String, _ found: String) -> PEFTError {
      .mismatch(item: item, path: other.weightsPath, expected: expected, reference: path, found: found)
    }
    for layer in layers {
      guard let found = other[layer.name] else { throw mismatch("layer \(layer.name)", layer.shape, "none") }
      guard (found.outputs, found.inputs) == (layer.outputs, layer.inputs) else {
        throw mismatch("layer \(layer.name)", layer.shape, found.shape)
      }
    }
    if let extra = other.layers.first(where: { self[$0.name] == nil }) {
      throw mismatch("layer \(extra.name)", "none", extra.shape)
    }
    try requireSameSavedTensors(other, mismatch)
  }

  private func requireSameSavedTensors(
    _ other: PEFTFolder, _ mismatch: (String, String, String) -> PEFTError
  ) throws {
    let own = Dictionary(uniqueKeysWithValues: savedTensors.map { ($0.name, $0.shape) })
    let others = Dictionary(uniqueKeysWithValues: other.savedTensors.map { ($0.name, $0.shape) })
    for name in Set(own.keys).union(others.keys).sorted() where own[name] != others[name] {
      throw mismatch(
        "tensor \(name)", own[name].map { "shape \($0)" } ?? "none",
        others[name].map { "shape \($0)" } ?? "none")
    }
  }
}

extension PEFTLayer {
  fileprivate var shape: String { "\(outputs)×\(inputs)" }
}

extension AdapterAggregation {
  /// Refuses adapters of different base models, where their configurations name them.
  static func requireOneBase(_ adapters: [PEFTFolder]) throws {
    guard let reference = adapters.first(where: { $0.settings.baseModel != nil }) else {
      return try requireOneStart(adapters)
    }
    for adapter in adapters where ![nil, reference.settings.baseModel].contains(adapter.settings.baseModel) {
      throw PEFTError.mismatch(
        item: "base_model_name_or_path", path: adapter.settings.path,
        expected: "\"\(reference.settings.baseModel ?? "")\"", reference: reference.path,
        found: "\"\(adapter.settings.baseModel ?? "")\"")
    }
    try requireOneStart(adapters)
  }

  /// A start such as PiSSA changes the base weights: factors from different starts belong to different bases.
  private static func requireOneStart(_ adapters: [PEFTFolder]) throws {
    let expected = adapters[0].settings.baseInitialization
    for adapter in adapters where adapter.settings.baseInitialization != expected {
      throw PEFTError.mismatch(
        item: "init_lora_weights", path: adapter.settings.path,
        expected: expected ?? "a start that leaves the base weights", reference: adapters[0].path,
        found: adapter.settings.baseInitialization ?? "a start that leaves the base weights")
    }
  }
}
