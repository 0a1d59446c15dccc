internal import LinearAlgebra

/// The leading directions of `W* = b a` by block Krylov iteration on the product of thin matrices.
///
/// The basis `K = [Q₀ Q₁ …]` grows by blocks of `W* W*ᵀ Q_j`, made orthogonal to all before them; the best
/// directions in it are the eigenvectors of `Kᵀ W* W*ᵀ K`, and what the next block adds is their residual. Source:
/// Musco and Musco, "Randomized Block Krylov Methods for Stronger and Faster Approximate Singular Value
/// Decomposition", NeurIPS 2015.
struct LeadingSubspace {
  /// Directions beside those asked for: they make every block's step longer.
  static let oversampling = 8

  /// When the iteration ends.
  struct Accuracy {
    /// The energy that may be missed, as a part of the energy beyond the leading directions.
    var partOfTail: Double
    /// What may be missed of the largest direction's energy in any case.
    var partOfLargest: Double

    /// Half of what ρ may differ from the optimum by (1e-5), counted in squares; below a few units in the last
    /// place of the energy there is nothing to be known of a product of two stacks.
    static let aggregate = Accuracy(partOfTail: 1e-5, partOfLargest: 1e-15)
    /// As good as all singular values.
    static let measurement = Accuracy(partOfTail: 1e-10, partOfLargest: 1e-26)
  }

  /// outputs × rank, orthonormal columns.
  let basis: Matrix<Double>
  /// rank × inputs: `basisᵀ W*`.
  let projection: Matrix<Double>

  /// Whether the iteration is worth while: else a decomposition of the core is as cheap.
  static func isCheaper(_ stacks: FactorStacks, rank: Int) -> Bool {
    stacks.map.largestRank > 4 * (rank + oversampling)
  }

  /// `nil` where whole blocks of at most `sizeLimit` directions are not accurate: then other ways are surer.
  init?(of map: LinearMap, rank: Int, accuracy: Accuracy, sizeLimit: Int) throws {
    precondition(sizeLimit <= map.largestRank, "\(sizeLimit) directions of at most \(map.largestRank)")
    let width = rank + Self.oversampling
    var space = KrylovSpace()
    var block = map.apply(startBlock(rows: map.inputs, columns: width))
    var next = try space.orthonormal(block)
    while true {
      space.append(next.basis, image: map.applyTransposed(next.basis))
      block = map.apply(space.images[space.images.count - 1])
      next = try space.orthonormal(block)
      let ritz = try space.gram.withView { try symmetricEigen($0) }
      if isAccurate(ritz, next.remainder, rank: rank, accuracy) {
        let vectors = ritz.vectors.withView { Matrix($0.columns(space.size - rank..<space.size)) }
        basis = space.combined(space.bases, vectors)
        projection = space.combined(space.images, vectors).transposed
        return
      }
      if space.size + width > sizeLimit { return nil }
    }
  }
}

/// A matrix by its products with thin ones.
struct LinearMap {
  let inputs: Int
  /// No matrix of this shape has a larger rank.
  let largestRank: Int
  /// `W x` for an inputs × m matrix.
  let apply: (Matrix<Double>) -> Matrix<Double>
  /// `Wᵀ x` for an outputs × m matrix.
  let applyTransposed: (Matrix<Double>) -> Matrix<Double>

  init(_ matrix: Matrix<Double>) {
    inputs = matrix.columns
    largestRank = min(matrix.rows, matrix.columns)
    apply = { product(matrix, .asStored, $0, .asStored) }
    applyTransposed = { product(matrix, .transposed, $0, .asStored) }
  }

  init(_ stacks: FactorStacks) {
    inputs = stacks.a.columns
    largestRank = min(stacks.b.rows, stacks.a.columns, stacks.a.rows)
    apply = { product(stacks.b, .asStored, product(stacks.a, .asStored, $0, .asStored), .asStored) }
    applyTransposed = {
      product(stacks.a, .transposed, product(stacks.b, .transposed, $0, .asStored), .asStored)
    }
  }
}

extension FactorStacks {
  var map: LinearMap { LinearMap(self) }
}

/// Whether the leading Ritz values θ have all of the leading energy but the tolerated part.
///
/// A Ritz value with residual s misses at most s, and at most s² over its distance from the values that are not
/// wanted. The energy beyond the leading directions is at least that of the other Ritz values.
private func isAccurate(
  _ ritz: SymmetricEigenFactors<Double>, _ remainder: Matrix<Double>, rank: Int,
  _ accuracy: LeadingSubspace.Accuracy
) -> Bool {
  let (size, width) = (ritz.values.count, remainder.columns)
  let beyond = max(0, ritz.values[size - rank - 1])
  let tail = ritz.values.prefix(size - rank).reduce(0) { $0 + max(0, $1) }
  let residuals = ritz.vectors.withView { vectors in
    remainder.withView { product($0, .asStored, vectors.rows(size - width..<size), .asStored) }
  }
  let missed = (size - rank..<size).reduce(0.0) { sum, index in
    let square = (0..<residuals.rows).reduce(0) { $0 + residuals[$1, index] * residuals[$1, index] }
    let gap = ritz.values[index] - beyond
    return sum + min(square.squareRoot(), gap > 0 ? square / gap : .infinity)
  }
  return missed <= max(accuracy.partOfTail * tail, accuracy.partOfLargest * ritz.values[size - 1])
}

/// An orthonormal basis by blocks, with the images `W*ᵀ Q_j` and their Gram matrix.
private struct KrylovSpace {
  private(set) var bases: [Matrix<Double>] = []
  private(set) var images: [Matrix<Double>] = []
  /// `Kᵀ W* W*ᵀ K`
  private(set) var gram = Matrix<Double>(rows: 0, columns: 0)

  var size: Int { gram.rows }

  mutating func append(_ basis: Matrix<Double>, image: Matrix<Double>) {
    bases.append(basis)
    images.append(image)
    var larger = Matrix<Double>(rows: size + basis.columns, columns: size + basis.columns)
    if size > 0 { gram.withView { larger.place($0, scaledBy: 1, row: 0, column: 0) } }
    var offset = 0
    for other in images {
      let block = product(image, .transposed, other, .asStored)
      block.withView { larger.place($0, scaledBy: 1, row: size, column: offset) }
      block.transposed.withView { larger.place($0, scaledBy: 1, row: offset, column: size) }
      offset += other.columns
    }
    gram = larger
  }

  /// The block's part outside of the space as an orthonormal basis and its coordinates in that.
  func orthonormal(_ block: Matrix<Double>) throws -> (basis: Matrix<Double>, remainder: Matrix<Double>) {
    let factors = try outside(outside(block)).withView { try thinQR($0) }
    // A direction that was nothing but rounding need not be outside of the space: once more.
    let again = try outside(factors.q).withView { try thinQR($0) }
    return (again.q, product(again.r, .asStored, factors.r, .asStored))
  }

  private func outside(_ block: Matrix<Double>) -> Matrix<Double> {
    var rest = block
    for basis in bases {
      let part = product(basis, .transposed, rest, .asStored)
      rest.withMutableView { rest in
        basis.withView { basis in
          part.withView { multiply(basis, .asStored, $0, .asStored, into: rest, alpha: -1, beta: 1) }
        }
      }
    }
    return rest
  }

  /// `Σ_j blocks[j] · vectors[rows of block j]`
  func combined(_ blocks: [Matrix<Double>], _ vectors: Matrix<Double>) -> Matrix<Double> {
    var sum = Matrix<Double>(rows: blocks[0].rows, columns: vectors.columns)
    var offset = 0
    for block in blocks {
      vectors.withView { vectors in
        sum += block.withView {
          product($0, .asStored, vectors.rows(offset..<offset + block.columns), .asStored)
        }
      }
      offset += block.columns
    }
    return sum
  }
}

private func startBlock(rows: Int, columns: Int) -> Matrix<Double> {
  var generator = SplitMix(seed: 2)
  return Matrix(
    rows: rows, columns: columns, elements: (0..<rows * columns).map { _ in generator.nextSigned() })
}
