/// What a round's aggregation did in one layer: a line of layers.jsonl.
///
/// Values that are nil have no key; numbers that are not finite are written as null.
public struct LayerReport: Sendable, Equatable, Decodable, JSONRepresentable {
  /// Counted from 1.
  public var round: Int
  /// The adapted layer's name.
  public var layer: String
  /// Distance of the aggregate from the ideal update: ‖W* − B̂Â‖ / ‖W*‖.
  public var rho: Double?
  public var rhoFedIT: Double?
  public var rhoOptimum: Double?
  public var closedGap: Double?
  /// The range of the server's coefficients, for methods that have them.
  public var coefficients: Range?
  /// Sweeps of an iterative estimate.
  public var sweeps: Int?

  /// The smallest and the largest of several numbers.
  public struct Range: Sendable, Equatable, Decodable {
    public var minimum: Double
    public var maximum: Double

    public init(minimum: Double, maximum: Double) {
      self.minimum = minimum
      self.maximum = maximum
    }
  }

  public init(
    round: Int, layer: String, rho: Double?, rhoFedIT: Double? = nil, rhoOptimum: Double? = nil,
    closedGap: Double? = nil, coefficients: Range? = nil, sweeps: Int? = nil
  ) {
    self.round = round
    self.layer = layer
    self.rho = rho
    self.rhoFedIT = rhoFedIT
    self.rhoOptimum = rhoOptimum
    self.closedGap = closedGap
    self.coefficients = coefficients
    self.sweeps = sweeps
  }

  public var json: JSONValue {
    .object(omittingNil: [
      ("round", .integer(round)),
      ("layer", .string(layer)),
      ("rho", rho.map { .number($0) }),
      ("rhoFedIT", rhoFedIT.map { .number($0) }),
      ("rhoOptimum", rhoOptimum.map { .number($0) }),
      ("closedGap", closedGap.map { .number($0) }),
      (
        "coefficients",
        coefficients.map { .object([("minimum", .number($0.minimum)), ("maximum", .number($0.maximum))]) }
      ),
      ("sweeps", sweeps.map { .integer($0) }),
    ])
  }
}
