extension [Double] {
  /// The middle value, or the mean of the two middle ones; there is at least one.
  public var median: Double {
    let sorted = sorted()
    let middle = sorted.count / 2
    return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
  }
}
