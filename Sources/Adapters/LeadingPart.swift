internal import LinearAlgebra

extension AdapterParameters {
  /// The adapter of a smaller rank that a client takes from this one: the leading rows of A and columns of B
  /// of every layer, and the head.
  ///
  /// `part` has the same layers and no cores, unless it is this adapter's own layout. Where its scaling is
  /// another, B takes the ratio, so that the client's `s_u B A` is the leading part of `s B A`.
  public func leadingPart(_ part: AdapterLayout) -> AdapterParameters {
    guard part != layout else { return self }
    var result = AdapterParameters(layout: part)
    result.take(leadingPartOf: self)
    return result
  }

  /// Becomes the leading part of `whole` that this adapter's layout has, in place.
  public mutating func take(leadingPartOf whole: AdapterParameters) {
    guard layout != whole.layout else { return takeValues(of: whole) }
    precondition(!layout.hasCores && !whole.layout.hasCores, "adapters with cores have no leading parts")
    for (slot, own) in zip(whole.layout.layers, layout.layers) {
      precondition(own.layer.name == slot.layer.name && own.layer.adapterRank <= slot.layer.adapterRank)
      self[own.a] = whole[slot.a].prefix(own.a.count)
      whole.copyLeadingColumns(ofB: slot, into: &values, own)
    }
    head = whole.head
  }

  private mutating func takeValues(of whole: AdapterParameters) {
    values.withUnsafeMutableBufferPointer { own in
      whole.values.withUnsafeBufferPointer { own.baseAddress?.update(from: $0.baseAddress!, count: $0.count) }
    }
  }

  /// Whether every number is finite.
  public var isFinite: Bool {
    // The largest of many integers is found in vector registers.
    values.withUnsafeBufferPointer { values in
      values.reduce(0) { max($0, $1.bitPattern & 0x7FFF_FFFF) } < Float.infinity.bitPattern
    }
  }

  private func copyLeadingColumns(ofB slot: LayerSlot, into target: inout [Float], _ own: LayerSlot) {
    let ratio = Double(slot.layer.scaling) / Double(own.layer.scaling)
    target.withUnsafeMutableBufferPointer { target in
      values.withUnsafeBufferPointer { values in
        let (from, to) = (slot.b(in: values.baseAddress!), own.b(in: target.baseAddress!))
        for row in 0..<to.rows {
          for column in 0..<to.columns {
            to[row, column] = rescaled(from[row, column], by: ratio)
          }
        }
      }
    }
  }
}

/// A number of a factor B under another scaling of its layer, so that `scaling · B` stays; rounded once.
/// `ratio` is that of its own scaling to the other.
public func rescaled(_ value: Float, by ratio: Double) -> Float { Float(ratio * Double(value)) }
