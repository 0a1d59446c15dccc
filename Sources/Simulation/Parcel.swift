internal import Adapters
internal import Configuration

typealias ServerMode = RunConfiguration.Server.Mode

/// A part of the adapter that travels and is estimated by itself: neighbouring layers, and perhaps the head.
///
/// The same sums are formed whatever the parcels are, so that they change no bit of a result.
struct Parcel: Sendable, Equatable {
  let layers: Range<Int>
  let hasHead: Bool
  /// The rank that estimates it.
  let server: Int

  /// The parcels of a round, which together are the whole adapter.
  ///
  /// At the root alone: one. Pipelined: one a layer, the head with the last. Sharded: one a rank, of as
  /// many layers as the others' give or take one; ranks beyond the number of layers serve none.
  static func parcels(_ mode: ServerMode, layerCount: Int, rankCount: Int) -> [Parcel] {
    switch mode {
    case .root: return [Parcel(layers: 0..<layerCount, hasHead: true, server: 0)]
    case .pipelined:
      return (0..<layerCount).map { Parcel(layers: $0..<$0 + 1, hasHead: $0 == layerCount - 1, server: 0) }
    case .sharded:
      let count = min(layerCount, rankCount)
      return (0..<rankCount).map { rank in
        let start = min(rank, count) * layerCount / count
        let end = min(rank + 1, count) * layerCount / count
        return Parcel(layers: start..<end, hasHead: rank == count - 1, server: rank)
      }
    }
  }

  /// The parcel's floats in a buffer of this layout.
  func range(in layout: AdapterLayout) -> Range<Int> {
    func start(_ layer: Int) -> Int {
      layer < layout.layers.count ? layout.layers[layer].range.lowerBound : layout.factorCount
    }
    return start(layers.lowerBound)..<(hasHead ? layout.count : start(layers.upperBound))
  }

  func slots(of layout: AdapterLayout) -> ArraySlice<LayerSlot> { layout.layers[layers] }
}
