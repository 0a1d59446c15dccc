/// The type of a tensor's elements, by the name that the file format gives it.
public enum SafetensorsDataType: String, Sendable, CaseIterable {
  // In the order of the format's own library, which sorts tensors by it when writing.
  case boolean = "BOOL"
  case uint8 = "U8"
  case int8 = "I8"
  case int16 = "I16"
  case uint16 = "U16"
  case float16 = "F16"
  case bfloat16 = "BF16"
  case int32 = "I32"
  case uint32 = "U32"
  case float32 = "F32"
  case float64 = "F64"
  case int64 = "I64"
  case uint64 = "U64"

  /// Bytes of one element.
  public var byteCount: Int {
    switch self {
    case .boolean, .uint8, .int8: 1
    case .int16, .uint16, .float16, .bfloat16: 2
    case .int32, .uint32, .float32: 4
    case .float64, .int64, .uint64: 8
    }
  }

  /// The type that holds exactly the values of `Integer`; nil when the format has none.
  public init?<Integer: FixedWidthInteger>(integer: Integer.Type) {
    let prefix = Integer.isSigned ? "I" : "U"
    self.init(rawValue: prefix + String(Integer.bitWidth))
  }

  /// Where the type stands when the format's own library writes tensors: the last comes first.
  var writingOrder: Int { Self.allCases.firstIndex(of: self)! }
}
