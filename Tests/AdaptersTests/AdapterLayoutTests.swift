import Adapters
import Testing

@Suite struct AdapterLayoutTests {
  private func layout(_ mode: HeadMode) -> AdapterLayout {
    AdapterLayout(
      layers: [
        AdaptedLayer(name: "q", outputs: 5, inputs: 3, adapterRank: 2, scaling: 2),
        AdaptedLayer(name: "v", outputs: 4, inputs: 6, adapterRank: 2, scaling: 2),
      ],
      head: [HeadTensor(name: "w", shape: [2, 3]), HeadTensor(name: "b", shape: [2])], headMode: mode)
  }

  @Test func tensorsFillTheBufferWithoutGaps() {
    let layout = layout(.shared)
    var end = 0
    for slot in layout.tensors {
      #expect(slot.offset == end)
      end = slot.range.upperBound
    }
    #expect(end == layout.count && layout.factorCount == 2 * (5 + 3) + 2 * (4 + 6))
    #expect(layout["v"]?.a.shape == [2, 6] && layout["v"]?.b.shape == [4, 2])
    #expect(layout["x"] == nil)
  }

  @Test func theHeadsModeDecidesWhatIsTrainedAndSent() {
    #expect(layout(.shared).trainedCount == 44 && layout(.shared).sharedCount == 44)
    #expect(layout(.local).trainedCount == 44 && layout(.local).sharedCount == 36)
    #expect(layout(.frozen).trainedCount == 36 && layout(.frozen).sharedCount == 36)
  }

  @Test func aStartHasKaimingAAndZeroB() throws {
    let layout = layout(.shared)
    let start = AdapterParameters.start(layout: layout, seed: 1)
    for slot in layout.layers {
      let bound = 1 / Float(slot.layer.inputs).squareRoot()
      #expect(start[slot.a].allSatisfy { abs($0) <= bound && $0 != 0 })
      #expect(Set(start[slot.a]).count == slot.a.count)
      #expect(start[slot.b].allSatisfy { $0 == 0 })
    }
    #expect(start[layout.head[0]].contains { $0 != 0 } && start[layout.head[1]].allSatisfy { $0 == 0 })
    #expect(start == AdapterParameters.start(layout: layout, seed: 1))
    #expect(start != AdapterParameters.start(layout: layout, seed: 2))
  }

  @Test func stackingKeepsShapesAndScaling() {
    let stacked = layout(.shared).stacked(times: 3)
    #expect(stacked.layers[0].a.shape == [6, 3] && stacked.layers[0].b.shape == [5, 6])
    #expect(stacked.layers[0].layer.scaling == 2)
  }
}
