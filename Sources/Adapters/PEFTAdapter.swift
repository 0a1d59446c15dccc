internal import Files
internal import Safetensors

/// Adapters as PEFT stores them: `adapter_config.json` beside `adapter_model.safetensors`.
public enum PEFTAdapter {
  public static let weightsFileName = "adapter_model.safetensors"
  static let prefix = "base_model.model."

  /// Writes an adapter that `peft.PeftModel.from_pretrained` loads; the folder is made if it is missing.
  /// PEFT knows no cores: `lora_A` is then `core · A`.
  ///
  /// - Throws: `FileError` or `SafetensorsError`, which name the file and the step that failed.
  public static func write(
    _ parameters: AdapterParameters, _ configuration: PEFTConfiguration, to folder: String
  ) throws {
    try makeFolder(at: folder)
    var writer = SafetensorsWriter(metadata: ["format": "pt"])
    let parameters = parameters.withoutCores
    for slot in parameters.layout.tensors {
      writer.add(name: prefix + slot.name, shape: slot.shape, floats: Array(parameters[slot]))
    }
    try writer.write(to: folder + "/" + weightsFileName)
    try configuration.write(to: folder)
  }

  /// Reads the adapter in `folder` into `layout`; every tensor has to be there with its shape and finite numbers, and
  /// no other.
  public static func read(folder: String, layout: AdapterLayout) throws -> AdapterParameters {
    let file = try SafetensorsFile(path: folder + "/" + weightsFileName)
    var parameters = AdapterParameters(layout: layout)
    for slot in layout.tensors {
      let tensor = try file.tensor(named: prefix + slot.name)
      guard tensor.shape == slot.shape else {
        throw PEFTError.unsupported(
          key: slot.name, path: file.path, expected: "shape \(slot.shape)", found: "\(tensor.shape)")
      }
      let values = try file.floatArray(named: tensor.name)
      guard values.allSatisfy(\.isFinite) else {
        throw PEFTError.unsupported(
          key: slot.name, path: file.path, expected: "finite numbers", found: "NaN or infinity")
      }
      parameters[slot] = values[...]
    }
    let known = Set(layout.tensors.map { prefix + $0.name })
    if let other = file.names.first(where: { !known.contains($0) }) {
      throw PEFTError.unexpectedTensor(other, path: file.path)
    }
    return parameters
  }
}
