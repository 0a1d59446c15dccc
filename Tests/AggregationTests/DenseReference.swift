import LinearAlgebra

/// The slow, obvious way: dense matrices in Float64 and triple loops.
struct DenseReference {
  let ideal: Matrix<Double>

  init(_ cohort: Cohort) {
    var ideal = Matrix<Double>(rows: cohort.b[0].rows, columns: cohort.a[0].columns)
    for u in 0..<cohort.count {
      let a = cohort.a[u].inDouble
      let cored = cohort.core.isEmpty ? a : denseProduct(cohort.core[u].inDouble, a)
      let update = denseProduct(cohort.b[u].inDouble, cored)
      for index in ideal.elements.indices {
        ideal.elements[index] += cohort.weights[u] * update.elements[index]
      }
    }
    self.ideal = ideal
  }

  func rho(b: Matrix<Float>, a: Matrix<Float>) -> Double { rho(b: b.inDouble, a: a.inDouble) }

  func rho(b: Matrix<Double>, a: Matrix<Double>) -> Double {
    norm(difference(ideal, denseProduct(b, a))) / norm(ideal)
  }

  func rhoOptimum(adapterRank: Int) throws -> Double {
    let values = try ideal.withView { try singularValues($0) }
    return values.dropFirst(adapterRank).reduce(0) { $0 + $1 * $1 }.squareRoot() / norm(ideal)
  }
}

extension Matrix where Scalar == Float {
  var inDouble: Matrix<Double> { withView { Matrix<Double>($0) } }
}

func denseProduct(_ left: Matrix<Double>, _ right: Matrix<Double>) -> Matrix<Double> {
  var result = Matrix<Double>(rows: left.rows, columns: right.columns)
  for row in 0..<left.rows {
    for inner in 0..<left.columns {
      let factor = left[row, inner]
      for column in 0..<right.columns { result[row, column] += factor * right[inner, column] }
    }
  }
  return result
}

func difference(_ left: Matrix<Double>, _ right: Matrix<Double>) -> Matrix<Double> {
  Matrix(rows: left.rows, columns: left.columns, elements: zip(left.elements, right.elements).map { $0 - $1 })
}

func norm(_ matrix: Matrix<Double>) -> Double {
  matrix.elements.reduce(0) { $0 + $1 * $1 }.squareRoot()
}

/// `Σ c_u M_u`
func denseSum(_ terms: [Matrix<Float>], _ coefficients: [Double]) -> Matrix<Double> {
  var sum = Matrix<Double>(rows: terms[0].rows, columns: terms[0].columns)
  for (term, coefficient) in zip(terms, coefficients) {
    for index in sum.elements.indices { sum.elements[index] += coefficient * Double(term.elements[index]) }
  }
  return sum
}

/// Alternating least squares on dense vectors `vec(B_u Â)`: the estimator's definition, word for word.
struct DenseSearch {
  let cohort: Cohort
  let reference: DenseReference

  init(_ cohort: Cohort) {
    self.cohort = cohort
    reference = DenseReference(cohort)
  }

  /// ρ after `sweeps` sweeps from the averages.
  func rho(sweeps: Int) throws -> Double { try descend(cohort.weights, cohort.weights, sweeps).last! }

  /// ρ at the averages and after each sweep.
  func descend(_ p: [Double], _ q: [Double], _ sweeps: Int) throws -> [Double] {
    var (p, q) = (p, q)
    var path = [rho(p, q)]
    for _ in 0..<sweeps {
      let a = denseSum(cohort.a, q)
      p = try moved(p, cohort.b.map { denseProduct($0.inDouble, a) })
      let b = denseSum(cohort.b, p)
      q = try moved(q, cohort.a.map { denseProduct(b, $0.inDouble) })
      path.append(rho(p, q))
    }
    return path
  }

  /// The coefficients corrected by the least-norm solution for what is still missing.
  private func moved(_ coefficients: [Double], _ images: [Matrix<Double>]) throws -> [Double] {
    let size = images[0].elements.count
    var design = Matrix<Double>(rows: size, columns: images.count)
    var missing = reference.ideal.reshape(size, 1)
    for (column, image) in images.enumerated() {
      for row in 0..<size {
        design[row, column] = image.elements[row]
        missing[row, 0] -= coefficients[column] * image.elements[row]
      }
    }
    let correction = try leastNormSolution(design, missing)
    return zip(coefficients, correction).map { $0 + $1 }
  }

  private func rho(_ p: [Double], _ q: [Double]) -> Double {
    let product = denseProduct(denseSum(cohort.b, p), denseSum(cohort.a, q))
    return norm(difference(reference.ideal, product)) / norm(reference.ideal)
  }
}

/// The least-norm, least-squares solution by the singular value decomposition.
private func leastNormSolution(_ matrix: Matrix<Double>, _ right: Matrix<Double>) throws -> [Double] {
  let factors = try matrix.withView { try singularValueDecomposition($0) }
  var inner = denseProduct(factors.u.transposed, right)
  for (row, value) in factors.values.enumerated() {
    inner[row, 0] *= value > 1e-12 * factors.values[0] ? 1 / value : 0
  }
  return denseProduct(factors.vTransposed.transposed, inner).elements
}

extension Matrix {
  fileprivate func reshape(_ rows: Int, _ columns: Int) -> Matrix {
    Matrix(rows: rows, columns: columns, elements: elements)
  }
}
