import Adapters
import LinearAlgebra
import Safetensors

@testable import Transformer

extension Golden {
  /// The packed sequences of a file.
  static func sequences(_ name: String) throws -> [[Int32]] {
    let batch = try TokenBatch(sequencesOf: file(name))
    return zip(batch.offsets, batch.offsets.dropFirst()).map { Array(batch.tokens[$0..<$1]) }
  }
}

extension TokenBatch {
  /// The packed sequences of a fixture.
  init(sequencesOf file: SafetensorsFile) throws {
    self.init(
      tokens: try file.integers(named: "tokens", as: Int32.self),
      offsets: try file.integers(named: "offsets", as: Int64.self).map(Int.init))
  }

  /// The sequences of `rows` with what comes behind their prompts as targets.
  init(answersOf file: SafetensorsFile, rows: Range<Int>? = nil) throws {
    let all = try TokenBatch(sequencesOf: file)
    let rows = rows ?? 0..<all.sequenceCount
    let lengths = try file.integers(named: "promptLengths", as: Int32.self)[rows].map(Int.init)
    let (start, end) = (all.offsets[rows.lowerBound], all.offsets[rows.upperBound])
    self.init(
      tokens: Array(all.tokens[start..<end]),
      offsets: all.offsets[rows.lowerBound...rows.upperBound].map { $0 - start },
      targets: .answers(promptLengths: lengths))
  }

  /// The prompts alone.
  var prompts: [[Int32]] {
    guard case .answers(let lengths)? = targets else { return [] }
    return zip(offsets, lengths).map { Array(tokens[$0..<$0 + $1]) }
  }
}

/// A decoder of the golden files, with an adapter of its folder or without one.
struct AdaptedDecoder {
  let pretrained: PretrainedModel
  let layout: AdapterLayout
  let parameters: AdapterParameters

  init(pretrained: PretrainedModel, layout: AdapterLayout, parameters: AdapterParameters) {
    (self.pretrained, self.layout, self.parameters) = (pretrained, layout, parameters)
  }

  init(path: String, adapter: String? = nil) throws {
    let pretrained = try PretrainedModel(path: path)
    let configuration = try adapter.map { try PEFTConfiguration(folder: $0) }
    let layers = try configuration.map {
      try pretrained.adaptedLayers(targets: $0.targets, adapterRank: $0.adapterRank, scaling: $0.scaling)
    }
    let layout = AdapterLayout(layers: layers ?? [], head: [], headMode: .frozen)
    let parameters = try adapter.map { try PEFTAdapter.read(folder: $0, layout: layout) }
    self.init(
      pretrained: pretrained, layout: layout, parameters: parameters ?? AdapterParameters(layout: layout))
  }

  /// The decoder of a folder of the golden files.
  init(_ name: String, adapter: String? = nil) throws {
    let folder = "\(Golden.folder)/\(name)"
    try self.init(path: folder, adapter: adapter.map { "\(folder)/\($0)" })
  }

  func model() throws -> any LanguageModel { try pretrained.languageModel(layout: layout) }

  /// An adapter of some of the layers, with the factors that this one has there.
  func with(targets: [String]) throws -> AdaptedDecoder {
    let first = layout.layers[0].layer
    let layout = AdapterLayout(
      layers: try pretrained.adaptedLayers(
        targets: targets, adapterRank: first.adapterRank, scaling: first.scaling), head: [],
      headMode: .frozen)
    var parameters = AdapterParameters(layout: layout)
    for slot in layout.layers {
      guard let own = self.layout[slot.layer.name] else { continue }
      parameters[slot.a] = self.parameters[own.a]
      parameters[slot.b] = self.parameters[own.b]
    }
    return AdaptedDecoder(pretrained: pretrained, layout: layout, parameters: parameters)
  }

  /// The same layers, of which the chosen add nothing.
  func silencing(_ isChosen: (String) -> Bool) throws -> AdaptedDecoder {
    var parameters = parameters
    for slot in layout.layers where isChosen(slot.layer.name) {
      parameters[slot.b] = [Float](repeating: 0, count: slot.b.count)[...]
    }
    return AdaptedDecoder(pretrained: pretrained, layout: layout, parameters: parameters)
  }

  private func withPass<Result>(
    keepingTape: Bool = false, _ parameters: AdapterParameters? = nil, dropout: Dropout? = nil,
    _ body: (Pass) throws -> Result
  ) rethrows -> (result: Result, gradient: AdapterParameters) {
    var gradient = AdapterParameters(layout: layout)
    // An empty array has no address.
    let values = (parameters ?? self.parameters).values + [0]
    var slopes = [Float](repeating: 0, count: values.count)
    let result = try values.withUnsafeBufferPointer { values in
      try slopes.withUnsafeMutableBufferPointer { slopes in
        try body(
          keepingTape
            ? .training(
              values.baseAddress!, gradient: slopes.baseAddress!, dropout: dropout, memory: StepMemory())
            : .inference(values.baseAddress!, memory: StepMemory()))
      }
    }
    gradient.values = Array(slopes.dropLast())
    return (result, gradient)
  }

  /// The hidden states behind the last norm, tokens × hidden size.
  func hidden(_ batch: TokenBatch) throws -> [Float] {
    let model = try model() as! CausalLanguageModel
    return withPass { Matrix<Float>(model.decoder.forward(batch, reading: nil, $0).hidden).elements }.result
  }

  /// Of each sequence, tokens × vocabulary.
  func logits(_ batch: TokenBatch, keepingTape: Bool) throws -> [[Float]] {
    let model = try model() as! CausalLanguageModel
    let width = pretrained.vocabularySize
    return withPass(keepingTape: keepingTape) { pass in
      var all: [Float] = []
      model.forEachPart(of: model.decoder.forward(batch, reading: nil, pass).hidden, pass) { _, logits in
        all += Matrix<Float>(logits.view).elements
      }
      return zip(batch.offsets, batch.offsets.dropFirst()).map { Array(all[$0 * width..<$1 * width]) }
    }.result
  }

  /// Loss and gradient of every value.
  func lossAndGradient(
    _ batch: TokenBatch, at parameters: AdapterParameters? = nil, dropout: Dropout? = nil
  ) throws -> (loss: Double, gradient: AdapterParameters) {
    let model = try model()
    let (loss, gradient) = withPass(keepingTape: true, parameters, dropout: dropout) {
      model.addGradient(batch, $0)
    }
    return (loss, gradient)
  }

  func answerLosses(_ batch: TokenBatch) throws -> [(sum: Double, tokens: Int)] {
    let model = try model()
    return withPass { model.answerLosses(batch, $0) }.result
  }

  func generate(_ prompts: [[Int32]], limit: Int, stop: Set<Int32>) throws -> [[Int32]] {
    let model = try model()
    return withPass {
      model.generate(prompts: prompts, maximumNewTokens: limit, stopTokens: stop, $0)
    }.result
  }
}
