import Adapters
import Foundation
import TestSupport
import Testing

/// Adapters in PEFT's files.
@Suite struct PEFTAdapterTests {
  private let folder: TemporaryFolder
  private let layout = AdapterLayout(
    layers: [AdaptedLayer(name: "layer.query", outputs: 3, inputs: 4, adapterRank: 2, scaling: 1)], head: [],
    headMode: .frozen)
  private let configuration = PEFTConfiguration(
    adapterRank: 2, alpha: 2, targets: ["query"], dropout: 0, isRankStabilised: false, baseModel: nil)

  init() throws { folder = try TemporaryFolder() }

  @Test func whatIsWrittenIsRead() throws {
    var adapter = AdapterParameters(layout: layout)
    adapter.values = (0..<adapter.values.count).map { Float($0) }
    try PEFTAdapter.write(adapter, configuration, to: folder.path)
    #expect(try PEFTAdapter.read(folder: folder.path, layout: layout) == adapter)
  }

  @Test(arguments: [Float.nan, .infinity])
  func onlyFiniteNumbersAreRead(value: Float) throws {
    var adapter = AdapterParameters(layout: layout)
    adapter.values[9] = value
    try PEFTAdapter.write(adapter, configuration, to: folder.path)
    let error = #expect(throws: PEFTError.self) {
      try PEFTAdapter.read(folder: folder.path, layout: layout)
    }
    #expect(
      error?.description.hasSuffix("lora_B.weight: expected finite numbers, found NaN or infinity") == true)
  }
}
