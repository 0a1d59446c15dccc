internal import LinearAlgebra

/// A pair of factors in Float64.
struct FactorPair {
  /// adapterRank × inputs
  var a: Matrix<Double>
  /// outputs × adapterRank
  var b: Matrix<Double>

  /// `Σ Q_u A_u` and `Σ P_u B_u`, summed in Float64; with cores `Σ Q_u R_u A_u`.
  init(combining updates: LayerUpdates, _ coefficients: CombinationCoefficients) {
    let cored = zip(updates.clients, coefficients.ofA).compactMap { $0.cored(scaledBy: $1) }
    a =
      cored.isEmpty
      ? combination(updates.clients.map(\.a), coefficients.ofA)
      : cored.dropFirst().reduce(into: cored[0]) { $0 += $1 }
    b = combination(updates.clients.map(\.b), coefficients.ofB)
  }

  /// `Σ p_u A_u` and `Σ p_u B_u`, summed in Float64.
  init(averaging updates: LayerUpdates) {
    self.init(combining: updates, CombinationCoefficients(ofB: updates.weights, ofA: updates.weights))
  }

  init(_ layer: AggregatedLayer) {
    let layer = layer.withoutCore
    a = layer.a.withView { Matrix<Double>($0) }
    b = layer.b.withView { Matrix<Double>($0) }
  }

  init(a: Matrix<Double>, b: Matrix<Double>) {
    self.a = a
    self.b = b
  }

  /// Rounded to Float32, once.
  var rounded: AggregatedLayer { AggregatedLayer(a: Matrix(rounding: a), b: Matrix(rounding: b)) }
}

/// Some rows and columns of a matrix.
struct MatrixPart {
  var rows: Range<Int>
  var columns: Range<Int>
}

extension MatrixView {
  func part(_ part: MatrixPart) -> MatrixView { rows(part.rows).columns(part.columns) }

  /// One row, where there are no gaps between the rows.
  fileprivate var flattened: MatrixView {
    stride == columns ? MatrixView(base, rows: 1, columns: rows * columns) : self
  }
}

/// `Σ coefficients[u] · terms[u]` in Float64, in the order given. A term with fewer rows or columns than
/// the largest counts as padded with zeros.
func combination<Scalar: BLASScalar>(
  _ terms: [MatrixView<Scalar>], _ coefficients: [Double]
) -> Matrix<Double> {
  var sum = Matrix<Double>(
    rows: terms.map(\.rows).max() ?? 0, columns: terms.map(\.columns).max() ?? 0)
  guard !sum.elements.isEmpty else { return sum }
  sum.withMutableView { sum in
    if terms.allSatisfy({ $0.rows == sum.rows && $0.columns == sum.columns }) {
      forEachPartialSum(terms, coefficients) { numbers, part in
        for row in part.rows {
          let source = numbers + (row - part.rows.lowerBound) * part.columns.count
          (sum.base + row * sum.columns + part.columns.lowerBound).update(
            from: source, count: part.columns.count)
        }
      }
    } else {
      for (term, coefficient) in zip(terms, coefficients) { accumulate(coefficient, term, into: sum) }
    }
  }
  return sum
}

/// The same sum of terms of one shape, rounded to Float32, and the Frobenius norm of what that changes.
func roundedCombination(
  _ terms: [MatrixView<Float>], _ coefficients: [Double]
) -> (matrix: Matrix<Float>, loss: Double) {
  let (rows, columns) = (terms[0].rows, terms[0].columns)
  var square = 0.0
  let elements = [Float](unsafeUninitializedCapacity: rows * columns) { target, count in
    count = rows * columns
    guard let base = target.baseAddress, count > 0 else { return }
    forEachPartialSum(terms, coefficients) { numbers, part in
      for row in part.rows {
        let source = numbers + (row - part.rows.lowerBound) * part.columns.count
        square += round(source, to: base + row * columns + part.columns.lowerBound, part.columns.count)
      }
    }
  }
  return (Matrix(rows: rows, columns: columns, elements: elements), square.squareRoot())
}

/// Lends the sum part by part: a part stays in the first cache while all terms are added. Terms without gaps
/// count as one row.
private func forEachPartialSum<Scalar: BLASScalar>(
  _ terms: [MatrixView<Scalar>], _ coefficients: [Double],
  _ body: (UnsafePointer<Double>, MatrixPart) -> Void
) {
  let isFlat = terms.allSatisfy { $0.stride == $0.columns }
  let terms = isFlat ? terms.map(\.flattened) : terms
  let width = min(1024, terms[0].columns)
  withUnsafeTemporaryAllocation(of: Double.self, capacity: width) { buffer in
    let sums = buffer.baseAddress!
    for row in 0..<terms[0].rows {
      for start in stride(from: 0, to: terms[0].columns, by: width) {
        let part = MatrixPart(
          rows: row..<row + 1, columns: start..<min(start + width, terms[0].columns))
        writeSum(terms, coefficients, part, into: sums)
        body(sums, part)
      }
    }
  }
}

/// A part of `Σ coefficients[u] · terms[u]`, row by row without gaps, in Float64 and in the order given. The terms
/// have one shape.
func writeSum<Scalar: BLASScalar>(
  _ terms: [MatrixView<Scalar>], _ coefficients: [Double], _ part: MatrixPart,
  into sums: UnsafeMutablePointer<Double>
) {
  sums.update(repeating: 0, count: part.rows.count * part.columns.count)
  for index in stride(from: 0, to: terms.count - 1, by: 2) {
    add(
      terms[index].part(part), coefficients[index], terms[index + 1].part(part), coefficients[index + 1],
      to: sums)
  }
  guard let last = terms.last, !terms.count.isMultiple(of: 2) else { return }
  let (source, p) = (last.part(part), coefficients[terms.count - 1])
  for row in 0..<source.rows {
    let (from, to) = (source.base + row * source.stride, sums + row * source.columns)
    for column in 0..<source.columns { to[column] += p * Double(from[column]) }
  }
}

/// Two terms at a time, one after the other.
private func add<Scalar: BLASScalar>(
  _ first: MatrixView<Scalar>, _ p: Double, _ second: MatrixView<Scalar>, _ q: Double,
  to sums: UnsafeMutablePointer<Double>
) {
  let isFlat = first.stride == first.columns && second.stride == second.columns
  let (first, second) = isFlat ? (first.flattened, second.flattened) : (first, second)
  for row in 0..<first.rows {
    let (x, y) = (first.base + row * first.stride, second.base + row * second.stride)
    let to = sums + row * first.columns
    for column in 0..<first.columns {
      to[column] = (to[column] + p * Double(x[column])) + q * Double(y[column])
    }
  }
}

/// Rounds `count` numbers; the sum of the squares of what that changes.
private func round(
  _ source: UnsafePointer<Double>, to target: UnsafeMutablePointer<Float>, _ count: Int
) -> Double {
  var lanes = SIMD8<Double>.zero
  let whole = count & ~7
  for start in stride(from: 0, to: whole, by: 8) {
    for lane in 0..<8 {
      let rounded = Float(source[start + lane])
      target[start + lane] = rounded
      let loss = source[start + lane] - Double(rounded)
      lanes[lane] += loss * loss
    }
  }
  var sum = lanes.sum()
  for index in whole..<count {
    target[index] = Float(source[index])
    let loss = source[index] - Double(target[index])
    sum += loss * loss
  }
  return sum
}

private func accumulate<Scalar: BLASScalar>(
  _ factor: Double, _ term: MatrixView<Scalar>, into sum: MutableMatrixView<Double>
) {
  for row in 0..<term.rows {
    let source = term.base + row * term.stride
    let target = sum.base + row * sum.stride
    for column in 0..<term.columns { target[column] += factor * Double(source[column]) }
  }
}

extension Matrix where Scalar == Float {
  /// The nearest Float32 matrix.
  init(rounding matrix: Matrix<Double>) {
    self.init(rows: matrix.rows, columns: matrix.columns, elements: matrix.elements.map { Float($0) })
  }
}
