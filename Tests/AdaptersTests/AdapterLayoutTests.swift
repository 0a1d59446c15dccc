import Adapters
import Testing

@Suite struct AdapterLayoutTests {
  private func layout(
    _ mode: HeadMode, adapterRank: Int = 2, scaling: Float = 2, hasCores: Bool = false
  ) -> AdapterLayout {
    AdapterLayout(
      layers: [
        AdaptedLayer(name: "q", outputs: 5, inputs: 3, adapterRank: adapterRank, scaling: scaling),
        AdaptedLayer(name: "v", outputs: 4, inputs: 6, adapterRank: adapterRank, scaling: scaling),
      ],
      head: [HeadTensor(name: "w", shape: [2, 3]), HeadTensor(name: "b", shape: [2])], headMode: mode,
      hasCores: hasCores)
  }

  @Test(arguments: [false, true]) func tensorsFillTheBufferWithoutGaps(hasCores: Bool) {
    let layout = layout(.shared, hasCores: hasCores)
    var end = 0
    for slot in layout.tensors {
      #expect(slot.offset == end)
      end = slot.range.upperBound
    }
    #expect(end == layout.count)
    #expect(layout.factorCount == 2 * (5 + 3) + 2 * (4 + 6) + (hasCores ? 2 * 4 : 0))
    #expect(layout["v"]?.core?.shape == (hasCores ? [2, 2] : nil))
    #expect(layout["v"]?.a.shape == [2, 6] && layout["v"]?.b.shape == [4, 2])
    #expect(layout["x"] == nil)
  }

  @Test func theHeadsModeDecidesWhatIsTrained() {
    #expect(layout(.shared).trainable.ranges == [0..<44])
    #expect(layout(.local).trainable.ranges == [0..<44])
    #expect(layout(.frozen).trainable.ranges == [0..<36])
  }

  @Test func chosenFloatsAreReadAndWrittenInOrder() {
    let layout = layout(.shared)
    let b = layout.floats(a: false, b: true, head: true)
    #expect(b.ranges == [6..<16, 28..<44] && b.count == 26)
    #expect(layout.trainable.subtracting(b).ranges == [0..<6, 16..<28])
    #expect(b.subtracting(layout.trainable).isEmpty)
    var parameters = AdapterParameters(layout: layout, values: (0..<44).map { Float($0) })
    #expect(parameters[b] == (6..<16).map { Float($0) } + (28..<44).map { Float($0) })
    parameters[b] = [Float](repeating: -1, count: 26)
    #expect(parameters.values.prefix(6) == [0, 1, 2, 3, 4, 5] && parameters.values[6] == -1)
    #expect(parameters.values[27] == 27 && parameters.values[43] == -1)
  }

  @Test func baseWeightsLieOneAfterAnother() {
    let layout = layout(.shared)
    #expect(layout.layers.map(\.baseOffset) == [0, 15] && layout.baseCount == 15 + 24)
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
    let layout = layout(.shared)
    let stacked = layout.stacking([layout, self.layout(.shared, adapterRank: 1, scaling: 4), layout])
    #expect(stacked.layers[0].a.shape == [5, 3] && stacked.layers[0].b.shape == [5, 5])
    #expect(stacked.layers[0].layer.scaling == 2)
  }

  @Test func theLeadingPartHasTheLeadingDirectionsOfTheSameUpdate() {
    let layout = layout(.shared)
    let whole = AdapterParameters(layout: layout, values: (0..<44).map { Float($0) })
    #expect(whole.leadingPart(layout) == whole)
    let part = self.layout(.shared, adapterRank: 1, scaling: 4)
    let cut = whole.leadingPart(part)
    // B of the whole has rows (6, 7), (8, 9), …; under twice the scaling its first column is halved.
    #expect(Array(cut[part.layers[0].a]) == [0, 1, 2] && Array(cut[part.layers[0].b]) == [3, 4, 5, 6, 7])
    #expect(Array(cut[part.layers[1].a]) == [16, 17, 18, 19, 20, 21])
    #expect(Array(cut[part.layers[1].b]) == [14, 15, 16, 17] && cut.head == whole.head)
  }
}
