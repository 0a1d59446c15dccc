internal import Configuration
internal import HalfPrecision
internal import MPI

typealias WireFormat = RunConfiguration.Server.Wire

/// A number as a message carries it.
protocol WireElement: MPIDatatype {
  /// The nearest numbers that a message carries.
  static func packed(_ floats: [Float]) -> [Self]
  static func unpacked(_ elements: [Self]) -> [Float]
}

extension Float: WireElement {
  static func packed(_ floats: [Float]) -> [Float] { floats }
  static func unpacked(_ elements: [Float]) -> [Float] { elements }
}

/// MPI moves the bits and does not compute with them.
extension HalfFloat where Self: WireElement {
  static var mpiType: MPIType { .uint16 }
  static func packed(_ floats: [Float]) -> [Self] { rounding(floats) }
  static func unpacked(_ elements: [Self]) -> [Float] { widening(elements) }
}

extension BFloat16: WireElement {}
extension Binary16: WireElement {}

/// A number that a wire of 16 bits cannot carry.
struct WireRangeError: Error, CustomStringConvertible {
  let wire: WireFormat
  /// Its position in what was to be sent.
  let index: Int
  let value: Float

  var description: String {
    let limit = wire.half.map { "\($0.overflow)" } ?? "infinity"
    let others = WireFormat.allCases.filter {
      $0 != wire && ($0.half.map { $0.overflow > abs(value) } ?? true)
    }
    return "expected numbers of a magnitude below \(limit), which \(wire.rawValue) carries, found \(value)"
      + (value.isFinite ? "; \(others.map(\.rawValue).joined(separator: " or ")) carries it" : "")
  }
}

extension WireFormat {
  /// The type of the numbers in a message.
  var element: any WireElement.Type {
    switch self {
    case .f32: Float.self
    case .bf16: BFloat16.self
    case .f16: Binary16.self
    }
  }

  /// The format of 16 bits, where it is one.
  fileprivate var half: (any HalfFloat.Type)? { element as? any HalfFloat.Type }

  /// Rounds the numbers from `start` on to what a message carries; nothing happens in f32.
  ///
  /// This is the one place where the wire takes precision away: what is rounded travels exactly.
  func round(_ floats: inout [Float], from start: Int = 0) throws(WireRangeError) {
    guard let half, start < floats.count else { return }
    let beyond = floats.withUnsafeMutableBufferPointer { floats -> (Int, Float)? in
      let part = UnsafeMutableBufferPointer(rebasing: floats[start...])
      if let index = half.firstBeyond(part) { return (index, part[index]) }
      half.round(part)
      return nil
    }
    if let (index, value) = beyond { throw WireRangeError(wire: self, index: index, value: value) }
  }
}
