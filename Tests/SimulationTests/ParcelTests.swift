import Configuration
import Adapters
import Testing

@testable import Simulation

@Suite struct ParcelTests {
  private let layout = AdapterLayout(
    layers: (0..<5).map {
      AdaptedLayer(name: "layer.\($0)", outputs: 3 + $0, inputs: 2, adapterRank: 2, scaling: 1)
    },
    head: [HeadTensor(name: "w", shape: [4])], headMode: .shared)

  /// Every float of the adapter is in one parcel, whatever the mode and the number of ranks.
  @Test(arguments: [1, 2, 3, 5, 8]) func parcelsAreTheWholeAdapter(rankCount: Int) {
    for mode in [.root, .pipelined, .sharded] as [ServerMode] {
      let parcels = Parcel.parcels(mode, layerCount: 5, rankCount: rankCount)
      let ranges = parcels.map { $0.range(in: layout) }.filter { !$0.isEmpty }
      #expect(ranges.first?.lowerBound == 0 && ranges.last?.upperBound == layout.count)
      #expect(zip(ranges, ranges.dropFirst()).allSatisfy { $0.upperBound == $1.lowerBound })
      #expect(parcels.filter(\.hasHead).count == 1)
      #expect(parcels.flatMap { Array($0.layers) } == [0, 1, 2, 3, 4])
    }
  }

  @Test func shardsAreEvenAndEachHasItsRank() {
    let parcels = Parcel.parcels(.sharded, layerCount: 5, rankCount: 3)
    #expect(parcels.map(\.layers) == [0..<1, 1..<3, 3..<5] && parcels.map(\.server) == [0, 1, 2])
    let few = Parcel.parcels(.sharded, layerCount: 2, rankCount: 4)
    #expect(few.map(\.layers.count) == [1, 1, 0, 0] && few.map(\.hasHead) == [false, true, false, false])
    #expect(few[3].range(in: layout).isEmpty)
  }
}
