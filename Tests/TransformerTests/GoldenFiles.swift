import Adapters
import Foundation
import LinearAlgebra
import Safetensors
import Testing

@testable import Transformer

/// The committed numbers of PyTorch, transformers and PEFT; `scripts/make_golden.py` makes them.
enum Golden {
  static let folder = Bundle.module.resourcePath! + "/Golden"
  static let root = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path
  static let miniLM = root + "/models/all-MiniLM-L6-v2"
  static let mpnet = root + "/models/all-mpnet-base-v2"

  static func hasWeights(_ model: String) -> Bool {
    FileManager.default.fileExists(atPath: model + "/model.safetensors")
  }

  /// An adapter of a tiny encoder, with what was computed under it.
  struct Encoder: CustomTestStringConvertible, Sendable {
    let model: String
    let adapter: String

    static let all = [
      Encoder(model: "tiny", adapter: "all"), Encoder(model: "tiny", adapter: "query-value"),
      Encoder(model: "tiny-roberta", adapter: "all"), Encoder(model: "tiny-mpnet", adapter: "all"),
    ]

    var testDescription: String { "\(model), \(adapter)" }

    func file(_ name: String) throws -> SafetensorsFile { try Golden.file("\(model)/\(name).safetensors") }

    func adapted(headMode: HeadMode = .shared) throws -> AdaptedModel {
      try AdaptedModel(
        model: "\(Golden.folder)/\(model)", adapter: "\(Golden.folder)/\(model)/adapter-\(adapter)",
        labels: 3,
        headMode: headMode)
    }
  }

  static func file(_ name: String) throws -> SafetensorsFile {
    try SafetensorsFile(path: "\(folder)/\(name)")
  }
}

/// A batch of a fixture, with its labels as targets.
struct LabelledBatch {
  let batch: TokenBatch

  /// The sequences of `rows` out of the file's packed sequences.
  init(_ file: SafetensorsFile, rows: Range<Int>? = nil) throws {
    let offsets = try file.integers(named: "offsets", as: Int64.self).map(Int.init)
    let rows = rows ?? 0..<offsets.count - 1
    let (start, end) = (offsets[rows.lowerBound], offsets[rows.upperBound])
    let tokens = try file.integers(named: "tokens", as: Int32.self)
    let types = try file.integers(named: "tokenTypes", as: UInt8.self)
    let labels = Array(try file.integers(named: "labels", as: Int32.self)[rows])
    batch = TokenBatch(
      tokens: Array(tokens[start..<end]), tokenTypes: Array(types[start..<end]),
      offsets: offsets[rows.lowerBound...rows.upperBound].map { $0 - start }, targets: .labels(labels))
  }
}

/// A model folder with the adapter of a fixture.
struct AdaptedModel {
  let pretrained: PretrainedModel
  let configuration: PEFTConfiguration
  let layout: AdapterLayout
  let parameters: AdapterParameters

  init(
    pretrained: PretrainedModel, configuration: PEFTConfiguration, layout: AdapterLayout,
    parameters: AdapterParameters
  ) {
    self.pretrained = pretrained
    self.configuration = configuration
    self.layout = layout
    self.parameters = parameters
  }

  init(model: String, adapter: String, labels: Int, headMode: HeadMode = .shared) throws {
    pretrained = try PretrainedModel(path: model)
    configuration = try PEFTConfiguration(folder: adapter)
    layout = AdapterLayout(
      layers: try pretrained.adaptedLayers(
        targets: configuration.targets, adapterRank: configuration.adapterRank,
        scaling: configuration.scaling),
      head: pretrained.headTensors(labelCount: labels), headMode: headMode)
    parameters = try PEFTAdapter.read(folder: adapter, layout: layout)
  }

  func classifier() throws -> any ClassificationModel { try pretrained.classifier(layout: layout) }

  /// Loss, gradient of every value, and logits of a batch, without dropout.
  func lossAndGradient(_ input: LabelledBatch) throws -> (loss: Double, gradient: AdapterParameters) {
    try lossAndGradient(input, at: parameters, dropout: nil)
  }

  func lossAndGradient(
    _ input: LabelledBatch, at parameters: AdapterParameters, dropout: Dropout?
  ) throws -> (loss: Double, gradient: AdapterParameters) {
    let model = try classifier()
    var gradient = AdapterParameters(layout: layout)
    let loss = gradient.values.withUnsafeMutableBufferPointer { gradient in
      parameters.values.withUnsafeBufferPointer { values in
        model.addGradient(
          input.batch,
          .training(
            values.baseAddress!, gradient: gradient.baseAddress!, dropout: dropout, memory: StepMemory()))
      }
    }
    return (loss, gradient)
  }

  func logits(_ input: LabelledBatch) throws -> [Float] {
    let model = try classifier()
    let memory = StepMemory()
    return parameters.values.withUnsafeBufferPointer {
      Matrix(model.logits(input.batch, .inference($0.baseAddress!, memory: memory))).elements
    }
  }

  func hidden(
    _ batch: TokenBatch, reading: ReadTokens? = nil, keepingTape: Bool
  ) throws -> Matrix<Float> {
    try pretrained.hidden(batch, under: parameters, reading: reading, keepingTape: keepingTape)
  }
}

extension PretrainedModel {
  var bert: BERTArchitecture { architecture as! BERTArchitecture }

  /// The last hidden states, T×h, or those of the tokens that are read.
  func hidden(
    _ batch: TokenBatch, under parameters: AdapterParameters, reading: ReadTokens? = nil, keepingTape: Bool
  ) throws -> Matrix<Float> {
    let layout = parameters.layout
    let encoder = try BERTEncoder(folder, bert.shape, prefix: bert.prefix, layout: layout)
    let memory = StepMemory()
    var gradient = [Float](repeating: 0, count: layout.count)
    return parameters.values.withUnsafeBufferPointer { values in
      gradient.withUnsafeMutableBufferPointer {
        let pass =
          keepingTape
          ? Pass.training(values.baseAddress!, gradient: $0.baseAddress!, dropout: nil, memory: memory)
          : Pass.inference(values.baseAddress!, memory: memory)
        return Matrix(encoder.forward(batch, reading: reading, pass).hidden)
      }
    }
  }
}

/// ‖found − expected‖ / ‖expected‖ in Euclidean norms.
func relativeError<Found: Sequence<Float>>(_ found: Found, _ expected: [Float]) -> Double {
  var difference = 0.0
  var norm = 0.0
  for (f, e) in zip(found, expected) {
    difference += Double(f - e) * Double(f - e)
    norm += Double(e) * Double(e)
  }
  return norm == 0 ? difference.squareRoot() : (difference / norm).squareRoot()
}
