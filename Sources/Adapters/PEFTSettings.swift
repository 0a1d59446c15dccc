internal import Foundation

/// What an `adapter_config.json` of any PEFT model says about how the factors are applied.
///
/// `fan_in_fan_out` needs no care: it tells how the base weight is stored; `lora_A` and `lora_B` have one
/// orientation.
public struct PEFTSettings: Sendable {
  /// The file.
  public let path: String
  /// `r`, for layers that no pattern names.
  public let adapterRank: Int
  /// `lora_alpha`, for layers that no pattern names.
  public let alpha: Double
  /// `use_rslora`: scaling α/√r instead of α/r.
  public let isRankStabilised: Bool
  /// `base_model_name_or_path`; a base model of the adapter's own by its path.
  public let baseModel: String?
  /// `init_lora_weights` where it names a start that changes the base weights (PiSSA, OLoRA and others):
  /// factors of such adapters mean something on that changed base only.
  public let baseInitialization: String?

  let savedModules: [String]
  private let ranks: PEFTPattern
  private let alphas: PEFTPattern
  private let values: [String: PEFTValue]
  private let bytes: [UInt8]

  /// Reads the configuration in `folder`; settings under which `scaling · B A` is not the whole change are
  /// refused by name.
  public init(folder: String) throws {
    path = folder + "/" + PEFTConfiguration.fileName
    guard let data = FileManager.default.contents(atPath: path) else {
      throw PEFTError.unreadable(path: path)
    }
    guard let values = try? JSONDecoder().decode([String: PEFTValue].self, from: data) else {
      throw PEFTError.malformedConfiguration(path: path, reason: "expected a JSON object, found otherwise")
    }
    try Self.refuseUnsupported(values, path)
    adapterRank = try Self.require(values["r"], \.positiveInteger, "r", "a positive whole number", path)
    alpha = try Self.require(values["lora_alpha"], \.positiveNumber, "lora_alpha", "a positive number", path)
    isRankStabilised = values["use_rslora"] == .bool(true)
    baseModel = Self.baseModel(values["base_model_name_or_path"]?.string, folder: folder)
    baseInitialization = values["init_lora_weights"]?.string.flatMap {
      Self.plainStarts.contains($0) ? nil : $0
    }
    if case .array(let modules)? = values["modules_to_save"] {
      savedModules = modules.compactMap(\.string)
    } else {
      savedModules = []
    }
    ranks = try PEFTPattern(values, key: "rank_pattern", path: path)
    alphas = try PEFTPattern(values, key: "alpha_pattern", path: path)
    self.values = values
    bytes = Array(data)
  }

  /// Two adapters that each name a base of their own have not the same one.
  private static func baseModel(_ name: String?, folder: String) -> String? {
    name == PEFTConfiguration.ownBase ? PEFTConfiguration.ownBasePath(besideAdapterAt: folder) : name
  }

  private static let plainStarts: Set = ["gaussian", "orthogonal", "eva"]

  /// Settings that change what the layer computes or add tensors that are no factors.
  private static let requiredOff = [
    "use_dora", "lora_bias", "use_qalora", "use_bdlora", "arrow_config", "kasa_config",
    "alora_invocation_tokens", "trainable_token_indices", "target_parameters", "megatron_config",
  ]

  private static func refuseUnsupported(_ values: [String: PEFTValue], _ path: String) throws {
    func refuse(_ key: String, _ expected: String) -> PEFTError {
      .unsupported(key: key, path: path, expected: expected, found: (values[key] ?? .null).text)
    }
    guard values["peft_type"] == .string("LORA") else { throw refuse("peft_type", "\"LORA\"") }
    guard [nil, .null, .string("none")].contains(values["bias"]) else { throw refuse("bias", "\"none\"") }
    for key in requiredOff where values[key]?.isOff == false { throw refuse(key, "null or false") }
  }

  private static func require<Result>(
    _ value: PEFTValue?, _ read: (PEFTValue) -> Result?, _ key: String, _ expected: String, _ path: String
  ) throws -> Result {
    guard let result = value.flatMap(read) else {
      throw PEFTError.unsupported(key: key, path: path, expected: expected, found: value?.text ?? "none")
    }
    return result
  }
}

extension PEFTSettings {
  /// The ranks that the configuration allows for the layer.
  func adapterRanks(ofLayer name: String) -> Set<Int> {
    let found = Set(ranks.values(forLayer: name).map { Int($0) })
    return found.isEmpty ? [adapterRank] : found
  }

  /// The layer's α. Patterns that match it with different values are refused: PEFT takes the first in the
  /// file, and JSON objects have no order.
  func alpha(ofLayer name: String) throws -> Double {
    let found = Set(alphas.values(forLayer: name))
    guard found.count < 2 else {
      throw PEFTError.unsupported(
        key: "alpha_pattern", path: path, expected: "one value for the layer \(name)",
        found: found.sorted().map { PEFTValue($0).text }.joined(separator: " and "))
    }
    return found.first ?? alpha
  }

  /// `√r` for rank-stabilised adapters, `r` for others: what α is divided by.
  func divisor(adapterRank: Int) -> Double {
    isRankStabilised ? Double(adapterRank).squareRoot() : Double(adapterRank)
  }

  /// The file for an adapter like this one with `adapterRanks` in place of its layers' ranks and the same
  /// scalings: to the byte this one where no rank differs.
  func file(for layers: [PEFTLayer], adapterRanks: [Int]) throws -> [UInt8] {
    guard layers.map(\.adapterRank) != adapterRanks else { return bytes }
    let alphas = zip(layers, adapterRanks).map { layer, rank in
      layer.alpha * divisor(adapterRank: rank) / divisor(adapterRank: layer.adapterRank)
    }
    var values = values
    values["r"] = .integer(adapterRanks[0])
    values["lora_alpha"] = PEFTValue(alphas[0])
    values["rank_pattern"] = pattern(layers, adapterRanks.map { .integer($0) })
    values["alpha_pattern"] = pattern(layers, alphas.map { PEFTValue($0) })
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return try Array(encoder.encode(values) + Data("\n".utf8))
  }

  /// The layers whose value is not that of the first, each by an expression that matches it alone.
  private func pattern(_ layers: [PEFTLayer], _ values: [PEFTValue]) -> PEFTValue {
    let others = zip(layers, values).filter { $1 != values[0] }
    return .object(
      Dictionary(
        uniqueKeysWithValues: others.map { layer, value in
          ("^" + NSRegularExpression.escapedPattern(for: layer.name), value)
        }))
  }
}

/// Values by regular expressions over the layers' names, as PEFT's `rank_pattern` and `alpha_pattern`.
private struct PEFTPattern: @unchecked Sendable {
  // NSRegularExpression is immutable and may be used from several threads at once.
  private let entries: [(expression: NSRegularExpression, value: Double)]

  init(_ values: [String: PEFTValue], key: String, path: String) throws {
    guard case .object(let pattern)? = values[key] else {
      guard values[key]?.isOff != false else {
        throw PEFTError.unsupported(key: key, path: path, expected: "an object", found: values[key]!.text)
      }
      entries = []
      return
    }
    entries = try pattern.map { name, value in
      guard let number = value.positiveNumber else {
        throw PEFTError.unsupported(
          key: "\(key): \(name)", path: path, expected: "a positive number", found: value.text)
      }
      // Source: PEFT's get_pattern_key.
      guard let expression = try? NSRegularExpression(pattern: "^(?:(.*\\.)?(\(name))$)") else {
        throw PEFTError.unsupported(key: key, path: path, expected: "a regular expression", found: name)
      }
      return (expression, number)
    }
  }

  /// The values of all expressions that match the name or the end of it behind a dot.
  func values(forLayer name: String) -> [Double] {
    let whole = NSRange(name.startIndex..., in: name)
    return entries.filter { $0.expression.firstMatch(in: name, range: whole) != nil }.map(\.value)
  }
}
