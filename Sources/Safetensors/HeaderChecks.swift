extension TensorDescription {
  /// Checks one entry by itself: type, shape, offsets, and that they agree.
  init(name: String, entry: RawHeader.RawEntry, path: String) throws(SafetensorsError) {
    func wrong(_ problem: SafetensorsError.Problem) -> SafetensorsError {
      SafetensorsError(path, tensor: name, problem)
    }
    guard let dataType = SafetensorsDataType(rawValue: entry.dtype) else {
      throw wrong(.unknownDataType(found: entry.dtype))
    }
    guard entry.offsets.count == 2 else {
      throw wrong(.malformedEntry(reason: "data_offsets: \(entry.offsets.count) numbers"))
    }
    let (begin, end) = (entry.offsets[0], entry.offsets[1])
    guard let byteCount = Self.byteCount(shape: entry.shape, elementByteCount: dataType.byteCount) else {
      throw wrong(.invalidShape(found: entry.shape))
    }
    guard begin >= 0, end >= 0 else { throw wrong(.negativeOffset(begin: begin, end: end)) }
    guard begin <= end else { throw wrong(.reversedOffsets(begin: begin, end: end)) }
    guard end - begin == byteCount else {
      throw wrong(.sizeMismatch(expected: byteCount, found: end - begin))
    }
    self.init(name: name, dataType: dataType, shape: entry.shape, byteRange: begin..<end)
  }

  /// Bytes of a tensor; nil when an extent is negative or the product of the extents overflows.
  static func byteCount(shape: [Int], elementByteCount: Int) -> Int? {
    var product = elementByteCount
    for extent in shape {
      let (next, overflow) = product.multipliedReportingOverflow(by: extent)
      guard extent >= 0, !overflow else { return nil }
      product = next
    }
    return product
  }
}

/// Checks that `tensors` fill the data section of `byteCount` bytes one after another.
func checkLayout(
  _ tensors: some Sequence<TensorDescription>, headerByteCount: Int, dataByteCount: Int, path: String
) throws(SafetensorsError) {
  let ordered = tensors.sorted {
    ($0.byteRange.lowerBound, $0.byteRange.upperBound, $0.name)
      < ($1.byteRange.lowerBound, $1.byteRange.upperBound, $1.name)
  }
  var expected = 0
  var owner = ""
  for tensor in ordered {
    let found = tensor.byteRange.lowerBound
    guard found >= expected else {
      throw SafetensorsError(
        path, tensor: tensor.name, .overlap(with: owner, expected: expected, found: found))
    }
    guard found == expected else {
      throw SafetensorsError(path, tensor: tensor.name, .hole(expected: expected, found: found))
    }
    (expected, owner) = (tensor.byteRange.upperBound, tensor.name)
  }
  // Offsets may claim anything up to the largest integer: the sum must not overflow.
  let (sum, overflow) = headerByteCount.addingReportingOverflow(expected)
  let (expectedFile, foundFile) = (overflow ? .max : sum, headerByteCount + dataByteCount)
  guard expected <= dataByteCount else {
    throw SafetensorsError(path, .fileCutShort(expected: expectedFile, found: foundFile))
  }
  guard expected == dataByteCount else {
    throw SafetensorsError(path, .trailingBytes(expected: expectedFile, found: foundFile))
  }
}
