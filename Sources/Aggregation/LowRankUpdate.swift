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

  /// The ideal update `W*`: every client's factors.
  init(idealOf updates: LayerUpdates) {
    self.init(clientsOf: updates, withoutB: nil)
  }

  /// `W* − b ā` for the averages `average` as they are rounded: `Σ p_u (B_u − b) A_u`.
  ///
  /// Only the rounding of `ā` itself is missing. The form that is centred on both sides would lack that of
  /// `b` besides.
  init(residualOf updates: LayerUpdates, average: AggregatedLayer) {
    self.init(clientsOf: updates, withoutB: average.b)
  }

  /// Σ adapterRank rows: the clients' `A_u` as they came, and `p_u (B_u − centre)`, rounded once.
  private init(clientsOf updates: LayerUpdates, withoutB centre: Matrix<Float>?) {
    let rank = updates.clients.reduce(0) { $0 + $1.adapterRank }
    var a = [Float]()
    a.reserveCapacity(rank * updates.shape.inputs)
    var b = Matrix<Float>(rows: updates.shape.outputs, columns: rank)
    var offset = 0
    for (client, weight) in zip(updates.clients, updates.weights) {
      a += Matrix(client.a).elements
      for row in 0..<b.rows {
        for column in 0..<client.adapterRank {
          let difference = Double(client.b[row, column]) - (centre.map { Double($0[row, column]) } ?? 0)
          b[row, offset + column] = Float(weight * difference)
        }
      }
      offset += client.adapterRank
    }
    self.init(a: Matrix(rows: rank, columns: updates.shape.inputs, elements: a), b: b)
  }
}
