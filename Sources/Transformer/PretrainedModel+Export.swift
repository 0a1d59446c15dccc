public import Adapters
internal import Files
internal import Foundation
internal import Safetensors

extension PretrainedModel {
  /// The files of a checkpoint folder beside its weights: what a library needs to load model and tokeniser.
  private static let smallFiles = [
    "config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json",
    "special_tokens_map.json", "added_tokens.json", "vocab.txt", "vocab.json", "merges.txt",
    "tokenizer.model", "spiece.model", "sentencepiece.bpe.model", "chat_template.jinja",
  ]

  /// Writes a Hugging Face folder with this checkpoint's files and tensors, `base` in place of the weights of
  /// its layers, which are F32 whatever the checkpoint stores. Other tensors keep their type; one is read
  /// after another. The folder is made if it is missing.
  ///
  /// - Throws: `FileError` or `SafetensorsError`, which name the file and the step that failed.
  public func write(_ base: BaseWeights, to target: String) throws {
    try makeFolder(at: target)
    for name in Self.smallFiles {
      guard let bytes = FileManager.default.contents(atPath: folder.path + "/" + name) else { continue }
      try replaceFile(at: target + "/" + name, with: [Array(bytes)])
    }
    try write(base, toFileAt: target + "/" + ModelFolder.weightsFileName)
  }

  private func write(_ base: BaseWeights, toFileAt path: String) throws {
    // transformers refuses a file that does not say for which library it was written.
    var writer = SafetensorsWriter(
      metadata: folder.weights.metadata.merging(["format": "pt"]) { own, _ in own })
    let changed = Dictionary(uniqueKeysWithValues: base.layout.layers.map { (weightName(of: $0), $0) })
    for name in folder.weights.names {
      let file = try folder.weights.file(of: name)
      let tensor = try file.tensor(named: name)
      if let slot = changed[name] {
        writer.add(name: name, shape: tensor.shape, floats: base[slot])
      } else {
        writer.add(tensor, of: file)
      }
    }
    try writer.write(to: path)
  }

  /// The types in which the checkpoint stores the weights of a layout's layers, such as `BF16`.
  public func storedTypes(ofLayersIn layout: AdapterLayout) -> [String] {
    Set(layout.layers.compactMap { folder.weights[weightName(of: $0)]?.dataType.rawValue }).sorted()
  }
}
