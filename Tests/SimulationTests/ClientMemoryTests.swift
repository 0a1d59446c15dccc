import Testing
import Transformer

@testable import Simulation

@Suite struct ClientMemoryTests {
  private let state = OptimizerState(first: [1, 2, 3], second: [4, 5, 6], steps: 9)

  @Test(arguments: [nil, [7, 8] as [Float]], [true, false])
  func whatACheckpointHoldsIsTheWholeMemory(kept: [Float]?, hasState: Bool) {
    let memory = ClientMemory(optimizer: hasState ? state : nil, kept: kept)
    let shape = MemoryShape(client: 5, memory)
    #expect(shape.floatCount == memory.floats.count)
    let again = ClientMemory(MemoryShape(wire: shape.wire[...]), floats: memory.floats)
    #expect(again.kept == kept && again.optimizer == memory.optimizer)
  }
}
