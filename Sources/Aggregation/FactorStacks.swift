internal import LinearAlgebra

/// The cohort's factors side by side in Float64, each client's scaled by `√p_u`, so that
/// `W* = b · a`. A client of weight zero contributes zeros.
struct FactorStacks {
  /// n × inputs, n = Σ adapterRank
  let a: Matrix<Double>
  /// outputs × n
  let b: Matrix<Double>

  init(_ updates: LayerUpdates) {
    let scales = updates.weights.map { $0.squareRoot() }
    let size = updates.clients.reduce(0) { $0 + $1.adapterRank }
    var a = Matrix<Double>(rows: size, columns: updates.shape.inputs)
    var b = Matrix<Double>(rows: updates.shape.outputs, columns: size)
    var offset = 0
    for (client, scale) in zip(updates.clients, scales) {
      if let cored = client.cored(scaledBy: scale) {
        cored.withView { a.place($0, scaledBy: 1, row: offset, column: 0) }
      } else {
        a.place(client.a, scaledBy: scale, row: offset, column: 0)
      }
      b.place(client.b, scaledBy: scale, row: 0, column: offset)
      offset += client.adapterRank
    }
    self.a = a
    self.b = b
  }
}

extension Matrix where Scalar == Double {
  /// Writes `scale · block` with its upper left corner at (`row`, `column`).
  mutating func place<Source: BLASScalar>(
    _ block: MatrixView<Source>, scaledBy scale: Double, row: Int, column: Int
  ) {
    precondition(
      row + block.rows <= rows && column + block.columns <= columns,
      "a \(block.rows)×\(block.columns) block at (\(row), \(column)) of \(rows)×\(columns)")
    guard block.rows > 0, block.columns > 0 else { return }
    withMutableView { target in
      for index in 0..<block.rows {
        let source = block.base + index * block.stride
        let start = target.base + (row + index) * target.stride + column
        for position in 0..<block.columns { start[position] = scale * Double(source[position]) }
      }
    }
  }
}
