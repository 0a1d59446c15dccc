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

  /// Whether `(a aᵀ) b` or `a (aᵀ b)` is cheaper for stacks of `rows` rows: the dense d×k matrix in the
  /// middle is formed only where the Gram matrix is larger.
  static func formsDenseUpdate(rows: Int, outputs: Int, inputs: Int) -> Bool {
    rows * (outputs + inputs) > 2 * outputs * inputs
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

  /// Multiply-adds with factors: the correlation through the ideal update, and in each sweep on each side
  /// two thin products and one rank-k update of U+1 long rows.
  static func factoredOperationCount(clients: Int, adapterRank r: Int, shape: LayerShape) -> Int {
    let blocks = clients + 1
    let rows = blocks * r
    let sum = shape.outputs + shape.inputs
    let images = min(rows * rows * sum, 2 * rows * shape.outputs * shape.inputs)
    let sweep = 2 * rows * r * sum + blocks * blocks * r * sum / 2
    return images + blocks * rows * shape.outputs + expectedSweepCount * sweep
  }
}
