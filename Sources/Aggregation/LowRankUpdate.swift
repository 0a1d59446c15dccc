public import LinearAlgebra

/// A change of a layer's base weight, `b · a`, before the scaling `s` is applied; the clients' weights are
/// inside.
public struct LowRankUpdate: Sendable, Equatable {
  /// R × inputs
  public let a: Matrix<Float>
  /// outputs × R
  public let b: Matrix<Float>

  public init(a: Matrix<Float>, b: Matrix<Float>) {
    precondition(
      a.rows == b.columns, "a \(b.rows)×\(b.columns) factor and a \(a.rows)×\(a.columns) factor")
    self.a = a
    self.b = b
  }

  /// The ideal update `W*`: every client's factors `A_u` as they came, beside `p_u B_u`.
  init(idealOf updates: LayerUpdates) {
    self.init(of: updates.clients, updates.weights, centre: nil, origin: nil, updates.shape)
  }

  /// `W* − b ā` for the averages `average` as they are rounded: `Σ p_u (B_u − b) (A_u − A_last)` over all
  /// clients but the last, of rank `(U − 1) r`, since the weighted differences of `B` add up to nothing.
  ///
  /// Only the rounding of the averages themselves is missing.
  init(residualOf updates: LayerUpdates, average: AggregatedLayer) {
    self.init(
      of: updates.clients.dropLast(), updates.weights, centre: average.b, origin: updates.clients.last?.a,
      updates.shape)
  }

  /// Rows `A_u − origin` beside columns `p_u (B_u − centre)`, each number rounded once.
  private init(
    of clients: some Collection<ClientFactors>, _ weights: [Double], centre: Matrix<Float>?,
    origin: MatrixView<Float>?, _ shape: LayerShape
  ) {
    let rank = clients.reduce(0) { $0 + $1.adapterRank }
    var a = Matrix<Float>(rows: rank, columns: shape.inputs)
    var b = Matrix<Float>(rows: shape.outputs, columns: rank)
    var offset = 0
    for (client, weight) in zip(clients, weights) {
      for row in 0..<client.adapterRank {
        for column in 0..<a.columns {
          a[offset + row, column] = client.a[row, column] - (origin.map { $0[row, column] } ?? 0)
        }
      }
      for row in 0..<b.rows {
        for column in 0..<client.adapterRank {
          let difference = Double(client.b[row, column]) - (centre.map { Double($0[row, column]) } ?? 0)
          b[row, offset + column] = Float(weight * difference)
        }
      }
      offset += client.adapterRank
    }
    self.init(a: a, b: b)
  }
}
