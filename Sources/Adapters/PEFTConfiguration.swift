internal import Files
internal import Foundation

/// The part of PEFT's `adapter_config.json` that says how an adapter is applied.
public struct PEFTConfiguration: Sendable, Equatable {
  /// `task_type`: what the adapted model is for, and so which modules are saved whole.
  public enum Task: String, Sendable {
    case sequenceClassification = "SEQ_CLS"
    case causalLanguageModel = "CAUSAL_LM"

    fileprivate var savedModules: [String]? {
      self == .sequenceClassification ? ["classifier", "score"] : nil
    }
  }

  public var task: Task
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

  /// The folder beside an adapter's that holds a base model of its own.
  public static let ownBaseFolder = "base"
  /// The value of `base_model_name_or_path` for it. PEFT and transformers follow a relative path from the current
  /// folder, which then is the one around both; the dot keeps them from asking a hub for that name.
  public static let ownBase = "./" + ownBaseFolder

  /// Where that is, beside an adapter's folder.
  public static func ownBasePath(besideAdapterAt folder: String) -> String {
    let around = URL(fileURLWithPath: folder).resolvingSymlinksInPath().deletingLastPathComponent()
    return around.appendingPathComponent(ownBaseFolder).path
  }

  public init(
    task: Task = .sequenceClassification, adapterRank: Int, alpha: Double, targets: [String], dropout: Double,
    isRankStabilised: Bool,
    baseModel: String?
  ) {
    self.task = task
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

/// The file's keys and types, as PEFT 0.21 writes them.
private struct PEFTFile: Codable {
  var kind = "LORA"
  var taskType: String?
  var r: Int
  var alpha: Double
  var targets: [String]
  var dropout: Double?
  var isRankStabilised: Bool?
  var baseModel: String?
  var bias: String? = "none"
  var isTransposed: Bool? = false
  var isForInference: Bool? = true
  var savedModules: [String]?
  var usesDoRA: Bool? = false
  var rankPattern: [String: Int]? = [:]
  var alphaPattern: [String: Double]? = [:]

  enum CodingKeys: String, CodingKey {
    case r, bias
    case kind = "peft_type"
    case taskType = "task_type"
    case alpha = "lora_alpha"
    case targets = "target_modules"
    case dropout = "lora_dropout"
    case isRankStabilised = "use_rslora"
    case baseModel = "base_model_name_or_path"
    case isTransposed = "fan_in_fan_out"
    case isForInference = "inference_mode"
    case savedModules = "modules_to_save"
    case usesDoRA = "use_dora"
    case rankPattern = "rank_pattern"
    case alphaPattern = "alpha_pattern"
  }
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
      task: file.taskType.flatMap(Task.init) ?? .sequenceClassification, adapterRank: file.r,
      alpha: file.alpha, targets: file.targets.sorted(),
      dropout: file.dropout ?? 0, isRankStabilised: file.isRankStabilised ?? false,
      baseModel: file.baseModel)
  }

  private static func refuseUnsupported(_ file: PEFTFile, _ path: String) throws {
    func require(_ condition: Bool, _ key: String, _ expected: String, _ found: Any) throws {
      guard condition else {
        throw PEFTError.unsupported(key: key, path: path, expected: expected, found: "\(found)")
      }
    }
    try require(file.kind == "LORA", "peft_type", "LORA", file.kind)
    try require(
      file.taskType.map { Task(rawValue: $0) != nil } ?? true, "task_type", "SEQ_CLS or CAUSAL_LM",
      file.taskType ?? "")
    try require(file.r >= 1, "r", "a positive whole number", file.r)
    try require((file.bias ?? "none") == "none", "bias", "none", file.bias ?? "")
    try require(file.isTransposed != true, "fan_in_fan_out", "false", true)
    try require(file.usesDoRA != true, "use_dora", "false", true)
    try require((file.rankPattern ?? [:]).isEmpty, "rank_pattern", "{}", file.rankPattern ?? [:])
    try require((file.alphaPattern ?? [:]).isEmpty, "alpha_pattern", "{}", file.alphaPattern ?? [:])
  }

  func write(to folder: String) throws {
    let file = PEFTFile(
      taskType: task.rawValue, r: adapterRank, alpha: alpha, targets: targets, dropout: dropout,
      isRankStabilised: isRankStabilised, baseModel: baseModel, savedModules: task.savedModules)
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    let bytes = try encoder.encode(file) + Data("\n".utf8)
    try replaceFile(at: folder + "/" + Self.fileName, with: [Array(bytes)])
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
