internal import Adapters
internal import ClientData
internal import LinearAlgebra
public import MPI
public import Telemetry
public import Transformer

/// The evaluation of a model, with or without a PEFT adapter, on one split of a data set.
public struct ModelEvaluation: Sendable {
  private let split: DatasetSplit
  private let model: any ClassificationModel
  private let parameters: AdapterParameters
  private let maximumLength: Int
  private let chunks: DealtChunks

  /// Opens and checks model, adapter and data; `batch` is the number of rows of a forward pass, rows are
  /// cut to `maximumLength` tokens (nil: as prepared).
  public init(
    modelPath: String, dataPath: String, adapterPath: String?, split name: String, batch: Int,
    maximumLength: Int?, precision: Precision = .float32
  ) throws {
    let pretrained = try PretrainedModel(path: modelPath, precision: precision)
    let dataset = try Dataset(folder: dataPath)
    self.maximumLength = maximumLength ?? dataset.description.maximumLength
    try requireFit(dataset, to: pretrained, modelPath: modelPath, maximumLength: self.maximumLength)
    split = try dataset.split(name)
    parameters = try Self.parameters(adapterPath, pretrained, labelCount: split.labelCount)
    model = try pretrained.classifier(layout: parameters.layout)
    chunks = DealtChunks(all: split.evaluationChunks(size: batch))
  }

  private static func parameters(
    _ adapterPath: String?, _ pretrained: PretrainedModel, labelCount: Int
  ) throws -> AdapterParameters {
    guard let adapterPath else { return try pretrained.ownClassifier(labelCount: labelCount) }
    let peft = try PEFTConfiguration(folder: adapterPath)
    let layout = AdapterLayout(
      layers: try pretrained.adaptedLayers(
        targets: peft.targets, adapterRank: peft.adapterRank, scaling: peft.scaling),
      head: pretrained.headTensors(labelCount: labelCount), headMode: .shared)
    return try PEFTAdapter.read(folder: adapterPath, layout: layout)
  }

  /// One row's result.
  public struct Prediction: Sendable, Equatable {
    public let row: Int
    /// One number a label.
    public let logits: [Float]
    /// The label of the data.
    public let label: Int
  }

  /// Evaluates on all ranks together. At rank 0 the metrics and every row's logits in the order of rows;
  /// nil elsewhere.
  public func run(
    _ world: borrowing Communicator
  ) throws -> (metrics: Metrics, predictions: [Prediction])? {
    var logits: [Float] = []
    let own = chunks.of(rank: world.rank, size: world.size)
    Evaluator(maximumLength: maximumLength).forEachChunk(own, of: split, model, parameters) { _, chunk in
      logits += Matrix(chunk).elements
    }
    guard let gathered = try world.gatherArrays(logits, to: 0) else { return nil }
    return result(gathered)
  }

  private func result(_ gathered: [[Float]]) -> (metrics: Metrics, predictions: [Prediction]) {
    var rest = gathered.map { $0[...] }
    var tallies: [Tally] = []
    var predictions: [Prediction] = []
    for (index, rows) in chunks.all.enumerated() {
      let count = rows.count * split.labelCount
      let values = Array(rest[index % rest.count].prefix(count))
      rest[index % rest.count].removeFirst(count)
      var tally = Tally(labelCount: split.labelCount)
      Matrix(rows: rows.count, columns: split.labelCount, elements: values).withView {
        tally.count($0, labels: rows.map { split.labels[$0] })
      }
      tallies.append(tally)
      predictions += zip(rows, values.chunked(by: split.labelCount)).map {
        Prediction(row: $0, logits: Array($1), label: Int(split.labels[$0]))
      }
    }
    return (
      tallies.sum(labelCount: split.labelCount).metrics, predictions.sorted { $0.row < $1.row }
    )
  }
}
