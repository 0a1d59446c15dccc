import Adapters
import LinearAlgebra
import Randomness
import Safetensors
import Testing

@testable import Transformer

/// A core R between B and A computes what plain LoRA computes with `R A` in place of A, for which there are
/// golden numbers: `dL/dR = dL/d(R A) Aᵀ`.
@Suite struct CoreTests {
  private let input: LabelledBatch

  init() throws { input = try LabelledBatch(Golden.file("tiny/batch.safetensors")) }

  private func model(_ adapter: String) throws -> AdaptedModel {
    try AdaptedModel(
      model: Golden.folder + "/tiny", adapter: "\(Golden.folder)/tiny/adapter-\(adapter)", labels: 3)
  }

  /// `dA Aᵀ`
  private func coreGradient(_ dA: [Float], _ slot: LayerSlot, of model: AdaptedModel) -> [Float] {
    let (r, k) = (slot.layer.adapterRank, slot.layer.inputs)
    let a = Matrix<Double>(rows: r, columns: k, elements: model.parameters[slot.a].map { Double($0) })
    let dA = Matrix<Double>(rows: r, columns: k, elements: dA.map { Double($0) })
    return product(dA, .asStored, a, .transposed).elements.map { Float($0) }
  }

  @Test(arguments: ["all", "query-value"]) func lossAndGradientsAreThoseOfTheProduct(adapter: String) throws {
    let model = try model(adapter).withCores(seed: 6)
    let expected = try Golden.file("tiny/expected-\(adapter).safetensors")
    #expect(relativeError(try model.logits(input), try expected.floatArray(named: "logits")) < 5e-6)
    let (loss, gradient) = try model.lossAndGradient(input)
    #expect(abs(loss / Double(try expected.floatArray(named: "loss")[0]) - 1) < 5e-6)
    func golden(_ name: String) throws -> [Float] {
      try expected.floatArray(named: "gradient.base_model.model." + name)
    }
    for slot in model.layout.layers {
      let core = try #require(slot.core)
      let wanted = coreGradient(try golden(slot.a.name), slot, of: model)
      #expect(relativeError(gradient[core], wanted) < 3e-5, "\(core.name)")
      #expect(gradient[slot.a].allSatisfy { $0 == 0 } && gradient[slot.b].allSatisfy { $0 == 0 })
    }
    for slot in model.layout.head {
      #expect(relativeError(gradient[slot], try golden(slot.name)) < 3e-5, "\(slot.name)")
    }
  }

  @Test(arguments: [Float(0), 0.3]) func theIdentityIsPlainLoRAToTheBit(dropoutProbability: Float) throws {
    let dropout = Dropout(
      probability: dropoutProbability, key: RandomKey(seed: 3, purpose: .dropout, client: 2))
    let plain = try model("all")
    let cored = try plain.withCores { Matrix(identity: $0) }
    #expect(try cored.logits(input) == plain.logits(input))
    let expected = try plain.lossAndGradient(input, at: plain.parameters, dropout: dropout)
    let found = try cored.lossAndGradient(input, at: cored.parameters, dropout: dropout)
    #expect(found.loss == expected.loss && found.gradient.head == expected.gradient.head)
    for (slot, old) in zip(cored.layout.layers, plain.layout.layers) {
      let wanted = coreGradient(Array(expected.gradient[old.a]), slot, of: cored)
      #expect(try relativeError(found.gradient[#require(slot.core)], wanted) < 1e-5, "\(slot.layer.name)")
    }
  }

  @Test func aStepMovesTheCoresAndTheHeadAlone() throws {
    let model = try model("all").withCores(seed: 7)
    let trainer = LocalTrainer(
      model: try model.classifier(),
      optimizer: .adamW(beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.1), clipNorm: 1,
      dropoutProbability: 0)
    var (parameters, state) = (model.parameters, OptimizerState(count: model.layout.count))
    _ = trainer.step(
      input.batch, parameters: &parameters, state: &state,
      trained: model.layout.trainable, learningRate: 1e-3, dropoutKey: RandomKey(seed: 1, purpose: .dropout))
    for slot in model.layout.layers {
      #expect(
        parameters[slot.a] == model.parameters[slot.a] && parameters[slot.b] == model.parameters[slot.b])
      #expect(try parameters[#require(slot.core)] != model.parameters[#require(slot.core)])
    }
    #expect(parameters.head != model.parameters.head)
  }
}

extension AdaptedModel {
  /// The same model with a core R in every layer, and `R⁻¹ A` in place of A. `core` makes R from the adapter's
  /// rank.
  func withCores(_ core: (Int) -> Matrix<Double>) throws -> AdaptedModel {
    let layout = AdapterLayout(
      layers: layout.layers.map(\.layer),
      head: layout.head.map { HeadTensor(name: $0.name, shape: $0.shape) }, headMode: layout.headMode,
      hasCores: true)
    var cored = AdapterParameters(layout: layout)
    for (slot, old) in zip(layout.layers, self.layout.layers) {
      let core = core(slot.layer.adapterRank)
      let a = Matrix<Double>(
        rows: core.rows, columns: slot.layer.inputs, elements: parameters[old.a].map { Double($0) })
      cored[slot.a] = product(try inverse(core), .asStored, a, .asStored).elements.map { Float($0) }[...]
      cored[slot.b] = parameters[old.b]
      if let target = slot.core { cored[target] = core.elements.map { Float($0) }[...] }
    }
    cored.head = parameters.head
    return AdaptedModel(
      pretrained: pretrained, configuration: configuration, layout: layout, parameters: cored)
  }

  /// With random cores, well conditioned and not symmetric, that are the same for every layer.
  func withCores(seed: UInt64) throws -> AdaptedModel {
    try withCores { rank in
      var stream = RandomStream(RandomKey(seed: seed, purpose: .test))
      var core = Matrix<Double>(identity: rank)
      for index in core.elements.indices {
        core.elements[index] = Double(Float(core.elements[index] + 0.3 * stream.normal()))
      }
      return core
    }
  }
}

extension Matrix where Scalar == Double {
  fileprivate init(identity size: Int) {
    self.init(rows: size, columns: size)
    for index in 0..<size { self[index, index] = 1 }
  }
}

/// Of a square matrix, by its singular values.
private func inverse(_ matrix: Matrix<Double>) throws -> Matrix<Double> {
  let factors = try matrix.withView { try singularValueDecomposition($0) }
  var u = factors.u
  for row in 0..<u.rows {
    for column in 0..<u.columns { u[row, column] /= factors.values[column] }
  }
  return product(factors.vTransposed, .transposed, u, .transposed)
}
