/// A choice of floats of an adapter's buffer: ascending ranges that neither overlap nor touch.
public struct FloatRanges: Sendable, Equatable {
  public let ranges: [Range<Int>]
  /// Floats of all ranges together.
  public let count: Int

  /// The union of ascending ranges that do not overlap; neighbours are joined.
  public init(_ parts: some Sequence<Range<Int>>) {
    var joined: [Range<Int>] = []
    for part in parts where !part.isEmpty {
      if let last = joined.last, last.upperBound == part.lowerBound {
        joined[joined.count - 1] = last.lowerBound..<part.upperBound
      } else {
        precondition((joined.last?.upperBound ?? 0) <= part.lowerBound, "\(part) is out of order")
        joined.append(part)
      }
    }
    ranges = joined
    count = joined.reduce(0) { $0 + $1.count }
  }

  public var isEmpty: Bool { count == 0 }

  /// The floats of this choice that lie in `range`.
  public func within(_ range: Range<Int>) -> FloatRanges { FloatRanges(ranges.map { $0.clamped(to: range) }) }

  /// The floats that are in this choice and not in `other`.
  public func subtracting(_ other: FloatRanges) -> FloatRanges {
    FloatRanges(
      ranges.flatMap { range in
        var rest: [Range<Int>] = []
        var start = range.lowerBound
        for hole in other.ranges where hole.overlaps(range) {
          if start < hole.lowerBound { rest.append(start..<hole.lowerBound) }
          start = max(start, hole.upperBound)
        }
        return start < range.upperBound ? rest + [start..<range.upperBound] : rest
      })
  }
}

extension AdapterLayout {
  /// The factors A, the factors B, the cores of all layers, and the head, as far as each is wanted.
  public func floats(a: Bool, b: Bool, core: Bool = false, head: Bool) -> FloatRanges {
    precondition(hasCores || !core, "a layout without cores")
    return FloatRanges(
      layers.flatMap { slot in
        [a ? slot.a : nil, b ? slot.b : nil, core ? slot.core : nil].compactMap { $0?.range }
      } + (head ? [factorCount..<count] : []))
  }

  /// All that a client may train: both factors, or with cores these alone; and the head unless it is frozen.
  public var trainable: FloatRanges {
    floats(a: !hasCores, b: !hasCores, core: hasCores, head: headMode != .frozen)
  }
}

extension AdapterParameters {
  /// The chosen floats, one range after another.
  public subscript(chosen: FloatRanges) -> [Float] {
    get {
      var result: [Float] = []
      result.reserveCapacity(chosen.count)
      for range in chosen.ranges { result += values[range] }
      return result
    }
    set {
      precondition(newValue.count == chosen.count, "\(newValue.count) floats for \(chosen.count)")
      var start = 0
      for range in chosen.ranges {
        values.replaceSubrange(range, with: newValue[start..<start + range.count])
        start += range.count
      }
    }
  }
}
