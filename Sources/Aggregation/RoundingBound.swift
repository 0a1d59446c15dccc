internal import LinearAlgebra

extension CoefficientSearch {
  /// Whether the pair of `state`, rounded with these losses, is nearer to the ideal than the rounded averages
  /// whatever the rounding did. What rounding took from the objective itself is left aside.
  ///
  /// First by lengths alone; where that does not settle it, with the parts of the error that rounding can meet.
  func survivesRounding(
    _ state: State, scaledBy factor: Double, losses: PairFigures, shape: LayerShape
  ) -> Bool {
    let gain = averageObjective - state.objective
    let found = PairBound(self, state, factor, losses)
    let means = PairBound(self, average, 1, mostLosses(shape))
    return gain > found.withLengths + means.withLengths
      || gain > found.withImages(self) + means.withImages(self)
  }
}

extension CoefficientSearch {
  /// The most that rounding the averages can change: half a unit in the last place; below the least normal number
  /// Float32 rounds no more finely.
  private func mostLosses(_ shape: LayerShape) -> PairFigures {
    func loss(_ side: Side, _ columns: Int) -> Double {
      0x1p-24 * normSquare(average, side).squareRoot()
        + 0x1p-150 * Double(products.adapterRank * columns).squareRoot()
    }
    return PairFigures(b: loss(.left, shape.outputs), a: loss(.right, shape.inputs))
  }
}

/// One number for each factor of a pair.
struct PairFigures {
  var b: Double
  var a: Double
}

/// What rounding a pair to Float32 can add to its objective or take from it.
///
/// With `E = W* − b a` and the roundings' changes `db`, `da` it is at most
/// `2 (‖E aᵀ‖ ‖db‖ + ‖bᵀ E‖ ‖da‖ + ‖E‖ ‖db‖ ‖da‖) + (‖db‖ ‖a‖ + ‖b‖ ‖da‖ + ‖db‖ ‖da‖)²`.
private struct PairBound {
  private let full: (left: [Double], right: [Double])
  /// `b` is this many times the combination, `a` the combination divided by it.
  private let factor: Double
  private let losses: PairFigures
  /// At least the spectral norms.
  private let lengths: PairFigures
  /// `‖E‖` and `‖b a − B̄Ā‖`
  private let error: Double
  private let change: Double

  init<Products>(
    _ search: CoefficientSearch<Products>, _ state: CoefficientSearch<Products>.State, _ factor: Double,
    _ losses: PairFigures
  ) {
    /// `‖x‖₂² ≤ ‖x xᵀ‖`
    func length(_ side: Side) -> Double {
      search.products.moment(side, search.full(state, side)).frobeniusNorm.squareRoot()
    }
    full = (search.full(state, .left), search.full(state, .right))
    self.factor = abs(factor)
    self.losses = losses
    lengths = PairFigures(b: length(.left) * abs(factor), a: length(.right) / abs(factor))
    error = (max(0, state.objective) + search.uncertainty).squareRoot()
    change = state.changeSquare.squareRoot()
  }

  /// With `‖E aᵀ‖ ≤ ‖E‖ ‖a‖`.
  var withLengths: Double { value(PairFigures(b: error * lengths.b, a: error * lengths.a)) }

  /// With `‖E aᵀ‖ ≤ ‖E₀ aᵀ‖ + ‖b a − B̄Ā‖ ‖a‖`.
  func withImages<Products>(_ search: CoefficientSearch<Products>) -> Double {
    let a = search.products.errorImageNorm(.left, full.right) / factor
    let b = search.products.errorImageNorm(.right, full.left) * factor
    return value(PairFigures(b: b + change * lengths.b, a: a + change * lengths.a))
  }

  /// `images`: `‖bᵀ E‖` and `‖E aᵀ‖`.
  private func value(_ images: PairFigures) -> Double {
    let both = losses.b * losses.a
    let move = losses.b * lengths.a + lengths.b * losses.a + both
    return 2 * (images.a * losses.b + images.b * losses.a + error * both) + move * move
  }
}
