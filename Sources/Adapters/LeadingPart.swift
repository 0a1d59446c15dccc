internal import LinearAlgebra

extension AdapterParameters {
  /// The adapter of a smaller rank that a client takes from this one: the leading rows of A and columns of B
  /// of every layer, and the head.
  ///
  /// `part` has the same layers and no cores, unless it is this adapter's own layout. Where its scaling is
  /// another, B takes the ratio, so that the client's `s_u B A` is the leading part of `s B A`.
  public func leadingPart(_ part: AdapterLayout) -> AdapterParameters {
    guard part != layout else { return self }
    precondition(!layout.hasCores && !part.hasCores, "adapters with cores have no leading parts")
    var result = AdapterParameters(layout: part)
    for (slot, own) in zip(layout.layers, part.layers) {
      precondition(own.layer.name == slot.layer.name && own.layer.adapterRank <= slot.layer.adapterRank)
      result[own.a] = self[slot.a].prefix(own.a.count)
      copyLeadingColumns(ofB: slot, into: &result.values, own)
    }
    result.head = head
    return result
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
