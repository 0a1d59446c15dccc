/// The two ways to the same coefficients.
enum EstimatorForm: Equatable {
  /// Two Gram matrices of the stacked factors, then everything from them.
  case gram
  /// The factors themselves, pass by pass.
  case factored

  /// Sweeps that a search takes as a rule, both starts together.
  static let expectedSweepCount = 8

  /// Multiply-adds in the time in which one number comes from memory: Gram matrices do not fit a cache.
  static let operationsPerRead = 8

  /// The form that takes fewer operations.
  static func cheapest(clients: Int, adapterRank: Int, shape: LayerShape) -> EstimatorForm {
    let gram = gramOperationCount(clients: clients, adapterRank: adapterRank, shape: shape)
    let factored = factoredOperationCount(clients: clients, adapterRank: adapterRank, shape: shape)
    return gram <= factored ? .gram : .factored
  }

  /// Whether products in Float32 save time that shows: below thirty million multiply-adds the passes around
  /// them cost as much.
  func isLarge(clients: Int, adapterRank: Int, shape: LayerShape) -> Bool {
    let count = self == .gram ? Self.gramOperationCount : Self.factoredOperationCount
    return count(clients, adapterRank, shape) > 30_000_000
  }

  /// Multiply-adds with Gram matrices: the two rank-k updates, the correlation, and passes over both
  /// matrices: three to order their blocks, two a sweep.
  static func gramOperationCount(clients: Int, adapterRank r: Int, shape: LayerShape) -> Int {
    let blocks = clients + 1
    let square = blocks * r * blocks * r
    let passes = 2 * (3 + 2 * expectedSweepCount)
    return square * (shape.outputs + shape.inputs) / 2 + blocks * blocks * clients * r * r
      + passes * square * operationsPerRead
  }

  /// Multiply-adds with factors: in each sweep on each side a rank-k update of U+1 long rows and, for the
  /// gradient and the second start, about six thin products.
  static func factoredOperationCount(clients: Int, adapterRank r: Int, shape: LayerShape) -> Int {
    let blocks = clients + 1
    let rows = blocks * r
    let sum = shape.outputs + shape.inputs
    let sweep = 6 * rows * r * sum + blocks * blocks * r * sum / 2
    return FactoredProducts<Float>.sketchWidth * rows * sum + expectedSweepCount * sweep
  }
}

extension FloraNA {
  /// Whether the estimate of a layer goes by way of two Gram matrices of (clients + 1) · adapterRank rows, or,
  /// where those would be too large, by passes over the factors.
  public static func formsGramMatrices(clients: Int, adapterRank: Int, shape: LayerShape) -> Bool {
    EstimatorForm.cheapest(clients: clients, adapterRank: adapterRank, shape: shape) == .gram
  }
}

extension AggregationRule {
  /// Multiply-adds of the estimate of one layer from a cohort's factors of one adapter rank, up to a factor of the
  /// rule's own: FLoRA-NA's by its cheaper form, products and decompositions of the stacked factors as
  /// `rows · min(rows, d, k) · (d + k)` for their `rows = U r`, and for averages the floats that are read.
  public func relativeOperationCount(clients: Int, adapterRank: Int, shape: LayerShape) -> Double {
    let rows = Double(clients * adapterRank)
    let floats = rows * Double(shape.outputs + shape.inputs)
    switch self {
    case is FloraNA:
      let form = EstimatorForm.cheapest(clients: clients, adapterRank: adapterRank, shape: shape)
      let count =
        form == .gram ? EstimatorForm.gramOperationCount : EstimatorForm.factoredOperationCount
      return Double(count(clients, adapterRank, shape))
    case is FloraNAMatrix, is FlexLoRA:
      return floats * min(rows, Double(min(shape.outputs, shape.inputs)))
    default: return floats
    }
  }
}
