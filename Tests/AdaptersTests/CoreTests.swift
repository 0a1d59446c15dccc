import Adapters
import LinearAlgebra
import TestSupport
import Testing

/// Adapters with a core between fixed factors.
@Suite struct CoreTests {
  private func layout(_ mode: HeadMode = .shared) -> AdapterLayout {
    AdapterLayout(
      layers: [
        AdaptedLayer(name: "q", outputs: 10, inputs: 6, adapterRank: 3, scaling: 2),
        AdaptedLayer(name: "v", outputs: 4, inputs: 7, adapterRank: 4, scaling: 2),
      ],
      head: [HeadTensor(name: "w", shape: [2, 3])], headMode: mode, hasCores: true)
  }

  private func matrix(_ slot: TensorSlot, of parameters: AdapterParameters) -> Matrix<Double> {
    Matrix(rows: slot.shape[0], columns: slot.shape[1], elements: parameters[slot].map { Double($0) })
  }

  /// `length²` times the identity.
  private func expectOrthogonal(_ products: Matrix<Double>, length: Double) {
    for row in 0..<products.rows {
      for column in 0..<products.columns {
        let expected = row == column ? length * length : 0
        #expect(abs(products[row, column] - expected) < 1e-6 * length * length)
      }
    }
  }

  @Test func theCoresAndTheHeadAreTrained() {
    let cores = [48..<57, 101..<117]
    #expect(layout(.frozen).trainable.ranges == cores)
    #expect(layout(.shared).trainable.ranges == [48..<57, 101..<123])
    #expect(layout(.local).trainable == layout(.shared).trainable)
    #expect(layout().floats(a: false, b: true, core: true, head: false).ranges == [18..<57, 85..<117])
  }

  @Test func aStartHasOrthogonalFactorsAndNoUpdate() throws {
    let layout = layout()
    let start = AdapterParameters.start(layout: layout, seed: 1)
    for slot in layout.layers {
      let (a, b) = (matrix(slot.a, of: start), matrix(slot.b, of: start))
      expectOrthogonal(product(a, .asStored, a, .transposed), length: (1 / 3).squareRoot())
      let growth = Double(slot.layer.outputs) / Double(slot.layer.adapterRank)
      expectOrthogonal(product(b, .transposed, b, .asStored), length: growth)
      #expect(try start[#require(slot.core)].allSatisfy { $0 == 0 })
    }
    #expect(start == .start(layout: layout, seed: 1))
    let other = AdapterParameters.start(layout: layout, seed: 2)
    for slot in layout.layers {
      #expect(start[slot.a] != other[slot.a] && start[slot.b] != other[slot.b])
    }
  }

  @Test func aFileHasTheCoreInA() throws {
    let layout = layout()
    var parameters = AdapterParameters.start(layout: layout, seed: 3)
    for slot in layout.layers {
      let core = try #require(slot.core)
      parameters[core] = core.range.map { Float($0 % 7) - 3 }[...]
    }
    let pairs = parameters.withoutCores
    for (slot, pair) in zip(layout.layers, pairs.layout.layers) {
      let expected = product(
        matrix(try #require(slot.core), of: parameters), .asStored, matrix(slot.a, of: parameters), .asStored)
      #expect(zip(expected.elements, pairs[pair.a]).allSatisfy { abs($0 - Double($1)) < 1e-5 })
      #expect(parameters[slot.b].elementsEqual(pairs[pair.b]))
    }
    #expect(pairs.head.elementsEqual(parameters.head) && pairs.withoutCores == pairs)
    let configuration = PEFTConfiguration(
      adapterRank: 3, alpha: 6, targets: ["q", "v"], dropout: 0, isRankStabilised: false, baseModel: nil)
    try withTemporaryFolder { folder in
      try PEFTAdapter.write(parameters, configuration, to: folder)
      #expect(try PEFTAdapter.read(folder: folder, layout: pairs.layout) == pairs)
    }
  }

  @Test func stackedFactorsHaveNoCores() {
    let stacked = layout().stacking([layout(), layout(), layout()])
    #expect(!stacked.hasCores && stacked.layers[0].core == nil && stacked.layers[0].a.shape == [9, 6])
  }
}
