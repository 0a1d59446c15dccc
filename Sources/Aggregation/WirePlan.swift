/// A choice of a layer's factors and the core between them.
public struct FactorSet: OptionSet, Sendable {
  public let rawValue: Int
  public init(rawValue: Int) { self.rawValue = rawValue }

  /// adapterRank × inputs
  public static let a = FactorSet(rawValue: 1)
  /// outputs × adapterRank
  public static let b = FactorSet(rawValue: 2)
  public static let both: FactorSet = [.a, .b]
  /// adapterRank × adapterRank
  public static let core = FactorSet(rawValue: 4)

  /// The floats of these factors in one layer.
  public func floatCount(of shape: LayerShape, adapterRank: Int) -> Int {
    let a = contains(.a) ? shape.inputs : 0
    let b = contains(.b) ? shape.outputs : 0
    let core = contains(.core) ? adapterRank : 0
    return adapterRank * (a + b + core)
  }
}

/// What becomes of a layer's base weight `W` after a round; `s` is the adapter's scaling.
public enum BaseChange: Sendable, Equatable {
  /// It stays frozen.
  case none
  /// `W ← W + s W*`; afterwards every client's factors start afresh.
  case fold
  /// `W ← W + s (W* − b a)`, where `b` and `a` are the factors that the server sends back.
  case residual
}

/// What one round of a method does with every layer's factors and base weight, in one place.
///
/// A client trains the factors of `trained`, sends those of `uploaded`, and after the round overwrites
/// those of `downloaded` with what the server sends; it keeps the rest. Bytes on the wire follow from it.
public struct WirePlan: Equatable, Sendable {
  public let trained: FactorSet
  public let uploaded: FactorSet
  public let downloaded: FactorSet
  public let base: BaseChange

  public init(trained: FactorSet, uploaded: FactorSet, downloaded: FactorSet, base: BaseChange = .none) {
    self.trained = trained
    self.uploaded = uploaded
    self.downloaded = downloaded
    self.base = base
  }

  /// One factor is trained, sent, averaged and sent back; the others are frozen and the same everywhere.
  public static func only(_ factor: FactorSet) -> WirePlan {
    WirePlan(trained: factor, uploaded: factor, downloaded: factor)
  }

  /// Both factors are trained, sent, aggregated and sent back.
  public static let bothFactors = WirePlan(trained: .both, uploaded: .both, downloaded: .both)
}

/// The floats that one client sends and receives in one round, of one layer or of a sum of layers.
public struct WireFloatCounts: Equatable, Sendable {
  public var up: Int
  public var down: Int

  public init(up: Int, down: Int) {
    self.up = up
    self.down = down
  }

  public static func + (left: WireFloatCounts, right: WireFloatCounts) -> WireFloatCounts {
    WireFloatCounts(up: left.up + right.up, down: left.down + right.down)
  }
}
