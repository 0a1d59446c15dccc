/// What one operation took with a message of one size.
public struct MeasuredPoint: Sendable, Equatable {
  public let bytes: Int
  public let seconds: Double

  public init(bytes: Int, seconds: Double) {
    self.bytes = bytes
    self.seconds = seconds
  }
}

/// Hockney's model of an operation: `T(m) = α + β m`, neither below zero.
///
/// Source: R. Hockney, "The communication challenge for MPP", Parallel Computing 20 (1994).
public struct HockneyLine: Sendable, Equatable {
  /// Seconds of an empty message.
  public let alpha: Double
  /// Seconds of a byte.
  public let beta: Double

  public init(alpha: Double, beta: Double) {
    self.alpha = alpha
    self.beta = beta
  }

  public func seconds(bytes: Double) -> Double { alpha + beta * bytes }

  /// The line of the least squares of the relative error, `Σ (T(m) / t − 1)²`: a small message counts as much
  /// as a large one. Where its α or β would be below zero, the best line without it.
  ///
  /// `points` have at least two sizes and times above zero.
  public init(fitting points: some Collection<MeasuredPoint>) {
    precondition(Set(points.map(\.bytes)).count > 1, "a line through one size of message")
    // In units of the largest size, so that both columns are of one magnitude.
    let unit = Double(points.map(\.bytes).max()!)
    var (uu, uv, vv, u1, v1) = (0.0, 0.0, 0.0, 0.0, 0.0)
    for point in points {
      let (u, v) = (1 / point.seconds, Double(point.bytes) / unit / point.seconds)
      (uu, uv, vv, u1, v1) = (uu + u * u, uv + u * v, vv + v * v, u1 + u, v1 + v)
    }
    let determinant = uu * vv - uv * uv
    let (alpha, beta) = ((vv * u1 - uv * v1) / determinant, (uu * v1 - uv * u1) / determinant)
    if alpha < 0 {
      self.init(alpha: 0, beta: v1 / vv / unit)
    } else if beta < 0 {
      self.init(alpha: u1 / uu, beta: 0)
    } else {
      self.init(alpha: alpha, beta: beta / unit)
    }
  }
}

/// How far a model is from the points that it was fitted to, as shares of what was measured.
public struct FitError: Sendable, Equatable {
  /// `√(mean (T / t − 1)²)`
  public let rootMeanSquare: Double
  /// `max |T / t − 1|`
  public let largest: Double

  init(of line: HockneyLine, at points: some Collection<MeasuredPoint>) {
    let errors = points.map { line.seconds(bytes: Double($0.bytes)) / $0.seconds - 1 }
    rootMeanSquare = (errors.reduce(0) { $0 + $1 * $1 } / Double(errors.count)).squareRoot()
    largest = errors.map(abs).max() ?? 0
  }
}
