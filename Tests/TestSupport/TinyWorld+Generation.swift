internal import Foundation
internal import Randomness
internal import Safetensors
internal import Telemetry

extension TinyWorld {
  /// The world of a decoder: sums of two digits, `3+4=` and the answer `7`, in groups by whether they are even.
  public static func generation() throws -> TinyWorld {
    let world = try TinyWorld(model: "tiny-llama", yaml: generationYAML)
    try Data(tokenizer.utf8).write(to: URL(filePath: world.model + "/tokenizer.json"))
    try world.writeSums()
    return world
  }

  private static let generationYAML = """
    seed: 3
    model: { path: model, task: generation }
    adapter: { rank: 4, alpha: 8, targets: [q_proj, v_proj, down_proj], head: frozen }
    data: { path: data, maximum-length: 16, held-out: 0.2, partition: { kind: dirichlet, alpha: 0.5 } }
    clients: { count: 5 }
    training: { rounds: 2, steps: 3, batch: 4, learning-rate: 1e-2 }
    evaluate: { every: 1, oracle: true, batch: 7, limit: 20, maximum-new-tokens: 4 }

    """

  private static let (end, zero, plus, equals): (Int32, Int32, Int32, Int32) = (0, 10, 20, 21)

  /// Digits, signs, and names for the other ids of the model's vocabulary.
  private static var tokenizer: String {
    let entries = (1..<97).map { (id: Int32) in
      let name =
        switch id {
        case zero..<zero + 10: "\(id - zero)"
        case plus: "+"
        case equals: "="
        default: "x\(id)"
        }
      return "\"\(name)\": \(id)"
    }
    return """
      {"added_tokens": [{"id": \(end), "content": "<|end|>", "special": true}], "decoder": {"type": "ByteLevel"},
       "model": {"type": "BPE", "vocab": {\(entries.joined(separator: ", "))}}}
      """
  }

  private func writeSums() throws {
    let train = try writeSums("train", rows: 90, part: 0)
    let test = try writeSums("test", rows: 30, part: 1)
    let hash = try SHA256.hexDigest(ofFileAt: model + "/tokenizer.json")
    let description = """
      {"format": "florana-dataset", "version": 1, "name": "sums", "task": "generation", "grader": "number",
       "stopTokens": [\(Self.end)], "groups": ["even", "odd"], "tokenizer": {"sha256": "\(hash)"},
       "maximumLength": 16, "splits": {"train": {"rows": 90, "tokens": \(train)},
       "test": {"rows": 30, "tokens": \(test)}}}
      """
    try Data(description.utf8).write(to: URL(filePath: data + "/dataset.json"))
  }

  private func writeSums(_ name: String, rows: Int, part: Int) throws -> Int {
    var stream = RandomStream(RandomKey(seed: 12, purpose: .test, part: part))
    var tokens: [Int32] = [], offsets: [Int64] = [0], groups: [Int32] = []
    var lines = ""
    for _ in 0..<rows {
      let (left, right) = (stream.uniformInteger(below: 10), stream.uniformInteger(below: 10))
      let sum = "\(left + right)"
      tokens += [Self.zero + Int32(left), Self.plus, Self.zero + Int32(right), Self.equals]
      tokens += sum.utf8.map { Self.zero + Int32($0 - UInt8(ascii: "0")) } + [Self.end]
      offsets.append(Int64(tokens.count))
      groups.append(Int32((left + right) % 2))
      lines += """
        {"prompt": "\(left)+\(right)=", "answer": "\(sum)", "number": "\(sum)", "expression": "\(left) + \(right)"}

        """
    }
    var writer = SafetensorsWriter()
    writer.add(name: "tokens", shape: [tokens.count], integers: tokens)
    writer.add(name: "offsets", shape: [offsets.count], integers: offsets)
    writer.add(name: "promptLengths", shape: [rows], integers: [Int32](repeating: 4, count: rows))
    writer.add(name: "groups", shape: [rows], integers: groups)
    try writer.write(to: "\(data)/\(name).safetensors")
    try Data(lines.utf8).write(to: URL(filePath: "\(data)/\(name).jsonl"))
    return tokens.count
  }
}
