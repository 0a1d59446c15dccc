internal import Foundation

/// One operation's α and β, range by range of message sizes: protocols change with the size, and one line over
/// all of them is wrong by up to 70 % over TCP.
public struct RangedFit: Sendable, Equatable {
  public struct Part: Sendable, Equatable {
    /// The smallest and the largest size that was measured.
    public let sizes: ClosedRange<Int>
    public let pointCount: Int
    public let line: HockneyLine
    public let error: FitError

    init(_ points: ArraySlice<MeasuredPoint>) {
      sizes = points.first!.bytes...points.last!.bytes
      pointCount = points.count
      line = HockneyLine(fitting: points)
      error = FitError(of: line, at: points)
    }
  }

  /// In ascending order of sizes; never empty.
  public let parts: [Part]

  /// Fits the number of ranges that the points speak for, by Schwarz's criterion with four parameters a range
  /// (α, β, its noise and where it begins): times of small messages are far noisier than those of large ones.
  /// Errors of 1 % count as none. A range has at least three sizes, or all.
  ///
  /// Nil with fewer than two sizes, or with a time that is not above zero.
  public init?(_ points: [MeasuredPoint]) {
    guard points.allSatisfy({ $0.seconds > 0 && $0.seconds.isFinite && $0.bytes > 0 }) else { return nil }
    let sorted = points.sorted { $0.bytes < $1.bytes }
    let starts = sorted.indices.filter { $0 == 0 || sorted[$0].bytes != sorted[$0 - 1].bytes }
    guard starts.count > 1 else { return nil }
    parts = Partitioning(sorted, starts: starts + [sorted.count]).best()
  }

  /// Seconds of a message; beyond the measured sizes by the nearest range.
  public func seconds(bytes: Double) -> Double { part(bytes: bytes).line.seconds(bytes: bytes) }

  /// Seconds of the smallest messages: what does not grow with the link's rate.
  public var latencySeconds: Double { parts[0].line.alpha }

  /// Seconds of a byte in the largest messages, the latency apart. The last range's β would leave out its α, which
  /// holds what busy processors cost and can be most of the time where the link is fast.
  public var largestSecondsPerByte: Double {
    let bytes = Double(parts.last!.sizes.upperBound)
    return max(0, seconds(bytes: bytes) - latencySeconds) / bytes
  }

  /// The part of the nearest sizes: between two of them they meet at the geometric mean.
  public func part(bytes: Double) -> Part {
    for (part, next) in zip(parts, parts.dropFirst()) {
      let meeting = (Double(part.sizes.upperBound) * Double(next.sizes.lowerBound)).squareRoot()
      if bytes <= meeting { return part }
    }
    return parts.last!
  }
}

/// The best division of measured sizes into ranges, by dynamic programming.
private struct Partitioning {
  private let points: [MeasuredPoint]
  /// Where each size's points begin, and the end of all.
  private let starts: [Int]
  private static let fewestSizes = 3
  private static let negligibleError = 0.01

  init(_ points: [MeasuredPoint], starts: [Int]) {
    self.points = points
    self.starts = starts
  }

  private var sizeCount: Int { starts.count - 1 }

  /// Of the best divisions into 1, 2, … ranges the one with the least criterion.
  func best() -> [RangedFit.Part] {
    var divisions: [Int: [RangedFit.Part]] = [:]
    var result = [part(0, sizeCount)]
    for end in stride(from: Self.fewestSizes, through: sizeCount, by: 1) { divisions[end] = [part(0, end)] }
    for _ in stride(from: 2, through: sizeCount / Self.fewestSizes, by: 1) {
      divisions = extended(divisions)
      if let division = divisions[sizeCount], criterion(division) < criterion(result) { result = division }
    }
    return result
  }

  /// From the best divisions of the first sizes those with one range more, by the number of sizes.
  private func extended(_ divisions: [Int: [RangedFit.Part]]) -> [Int: [RangedFit.Part]] {
    var result: [Int: [RangedFit.Part]] = [:]
    for (middle, division) in divisions {
      for end in stride(from: middle + Self.fewestSizes, through: sizeCount, by: 1) {
        let longer = division + [part(middle, end)]
        if result[end].map({ criterion(longer) < criterion($0) }) ?? true { result[end] = longer }
      }
    }
    return result
  }

  private func part(_ first: Int, _ end: Int) -> RangedFit.Part {
    RangedFit.Part(points[starts[first]..<starts[end]])
  }

  /// Of a division: minus twice the logarithm of its likelihood, each range with noise of its own, and the
  /// criterion's price of four parameters a range.
  private func criterion(_ division: [RangedFit.Part]) -> Double {
    division.reduce(0) { sum, part in
      let count = Double(part.pointCount)
      let squares = part.error.rootMeanSquare * part.error.rootMeanSquare * count
      let variance = max(squares / max(1, count - 2), Self.negligibleError * Self.negligibleError)
      return sum + count * log(variance) + 4 * log(Double(points.count))
    }
  }
}
