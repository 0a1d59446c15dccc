internal import Foundation

/// The part of PEFT's `adapter_config.json` that says how an adapter is applied.
public struct PEFTConfiguration: Sendable, Equatable {
  /// `r`.
  public var adapterRank: Int
  /// `lora_alpha`.
  public var alpha: Double
  /// `target_modules`: the ends of the adapted modules' paths.
  public var targets: [String]
  /// `lora_dropout`, used in training only.
  public var dropout: Double
  /// `use_rslora`: scaling α/√r instead of α/r.
  public var isRankStabilised: Bool
  /// `base_model_name_or_path`.
  public var baseModel: String?

  public init(
    adapterRank: Int, alpha: Double, targets: [String], dropout: Double, isRankStabilised: Bool,
    baseModel: String?
  ) {
    self.adapterRank = adapterRank
    self.alpha = alpha
    self.targets = targets
    self.dropout = dropout
    self.isRankStabilised = isRankStabilised
    self.baseModel = baseModel
  }

  /// The factor s of `W x + s · B (A x)`.
  public var scaling: Float {
    let rank = Double(adapterRank)
    return Float(alpha / (isRankStabilised ? rank.squareRoot() : rank))
  }
}

/// The file's keys and types, as PEFT 0.21 writes them for a sequence classifier.
private struct PEFTFile: Codable {
  var peft_type = "LORA"
  var task_type: String? = "SEQ_CLS"
  var r: Int
  var lora_alpha: Double
  var target_modules: [String]
  var lora_dropout: Double?
  var use_rslora: Bool?
  var base_model_name_or_path: String?
  var bias: String? = "none"
  var fan_in_fan_out: Bool? = false
  var inference_mode: Bool? = true
  var modules_to_save: [String]? = ["classifier", "score"]
  var use_dora: Bool? = false
  var rank_pattern: [String: Int]? = [:]
  var alpha_pattern: [String: Double]? = [:]
}

extension PEFTConfiguration {
  static let fileName = "adapter_config.json"

  /// Reads `adapter_config.json` in `folder`; settings that would change the result and are not
  /// implemented are refused by name.
  public init(folder: String) throws {
    let path = folder + "/" + Self.fileName
    let file: PEFTFile
    do {
      file = try JSONDecoder().decode(PEFTFile.self, from: Data(contentsOf: URL(fileURLWithPath: path)))
    } catch let error as DecodingError {
      throw PEFTError.malformedConfiguration(path: path, reason: error.summary)
    } catch {
      throw PEFTError.unreadable(path: path)
    }
    try Self.refuseUnsupported(file, path)
    self.init(
      adapterRank: file.r, alpha: file.lora_alpha, targets: file.target_modules.sorted(),
      dropout: file.lora_dropout ?? 0, isRankStabilised: file.use_rslora ?? false,
      baseModel: file.base_model_name_or_path)
  }

  private static func refuseUnsupported(_ file: PEFTFile, _ path: String) throws {
    func require(_ condition: Bool, _ key: String, _ expected: String, _ found: Any) throws {
      guard condition else {
        throw PEFTError.unsupported(key: key, path: path, expected: expected, found: "\(found)")
      }
    }
    try require(file.peft_type == "LORA", "peft_type", "LORA", file.peft_type)
    try require(file.r >= 1, "r", "a positive whole number", file.r)
    try require((file.bias ?? "none") == "none", "bias", "none", file.bias ?? "")
    try require(file.fan_in_fan_out != true, "fan_in_fan_out", "false", true)
    try require(file.use_dora != true, "use_dora", "false", true)
    try require((file.rank_pattern ?? [:]).isEmpty, "rank_pattern", "{}", file.rank_pattern ?? [:])
    try require((file.alpha_pattern ?? [:]).isEmpty, "alpha_pattern", "{}", file.alpha_pattern ?? [:])
  }

  func write(to folder: String) throws {
    let file = PEFTFile(
      r: adapterRank, lora_alpha: alpha, target_modules: targets, lora_dropout: dropout,
      use_rslora: isRankStabilised, base_model_name_or_path: baseModel)
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    let path = folder + "/" + Self.fileName
    do {
      try (encoder.encode(file) + Data("\n".utf8)).write(to: URL(fileURLWithPath: path), options: .atomic)
    } catch { throw PEFTError.unwritable(path: path) }
  }
}

extension DecodingError {
  /// One line: which key, what is wrong with it.
  fileprivate var summary: String {
    switch self {
    case .keyNotFound(let key, _): "expected the key \"\(key.stringValue)\", found none"
    case .typeMismatch(let type, let context), .valueNotFound(let type, let context):
      "expected \(type) at \"\(context.codingPath.map(\.stringValue).joined(separator: "."))\", found another"
    case .dataCorrupted: "expected a JSON object, found otherwise"
    @unknown default: "it cannot be decoded"
    }
  }
}
