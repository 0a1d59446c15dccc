internal import Adapters
internal import ClientData
internal import Grading
internal import LinearAlgebra
public import MPI
public import Telemetry
public import Transformer

/// The evaluation of a model, with or without a PEFT adapter, on one split of a data set.
public struct ModelEvaluation: Sendable {
  private let subject: AdaptedModel
  private let chunks: DealtChunks

  /// Opens and checks model, adapter and data; `batch` is the number of rows of a forward pass, rows are
  /// cut to `maximumLength` tokens (nil: as prepared). Answers are broken off after `maximumNewTokens`; `limit` is
  /// the number of rows, spread evenly over the split (nil: all).
  public init(
    modelPath: String, dataPath: String, adapterPath: String?, split: String, batch: Int,
    maximumLength: Int?, precision: Precision, maximumNewTokens: Int, limit: Int?
  ) throws {
    subject = try AdaptedModel(
      AdaptedModel.Names(model: modelPath, adapter: adapterPath, split: split), Dataset(folder: dataPath),
      maximumLength: maximumLength, precision: precision, maximumNewTokens: maximumNewTokens)
    chunks = DealtChunks(
      all: subject.split.evaluationChunks(of: subject.split.spreadRows(limit: limit), size: batch))
  }

  /// Evaluates on all ranks together. At rank 0 the metrics, and for every row in their order an object: `row`, and
  /// `logits` and the data's `label`, or the generated `answer`, whether it `isExact`, where references have one
  /// `isExpressionRight`, and where there is more to say the `reason`; nil elsewhere.
  public func run(_ world: borrowing Communicator) throws -> (metrics: Metrics, predictions: [String])? {
    let own = chunks.of(rank: world.rank, size: world.size)
    let evaluator = Evaluator(maximumLength: subject.maximumLength)
    let results = try world.together { try subject.results(own, evaluator) }
    let metrics = try world.metrics(results.map(\.tally), of: chunks, subject.task.tallyKind, to: 0)
    let lines = try world.lines(results.map(\.lines), of: chunks, to: 0)
    guard let metrics, let lines else { return nil }
    return (metrics, lines)
  }
}

extension AdaptedModel {
  /// What is counted of each chunk, and a JSON line for each of its rows.
  fileprivate func results(
    _ chunks: [[Int]], _ evaluator: Evaluator
  ) throws -> [(tally: Tally, lines: [String])] {
    switch model {
    case .classifier(let model): labels(chunks, model, evaluator)
    case .language(let model, let judge):
      try chunks.map { try answers($0, model, judge, evaluator) }
    }
  }

  private func labels(
    _ chunks: [[Int]], _ model: any ClassificationModel, _ evaluator: Evaluator
  ) -> [(tally: Tally, lines: [String])] {
    var results: [(tally: Tally, lines: [String])] = []
    evaluator.forEachChunk(chunks, of: split, model, parameters) { rows, logits in
      var tally = Tally(task.tallyKind)
      let labels = rows.map { split.labels[$0] }
      tally.count(logits, labels: labels)
      let values = Matrix(logits).elements.chunked(by: split.labelCount)
      let lines = rows.indices.map { index in
        JSONValue.object([
          ("row", .integer(rows[index])), ("logits", .array(values[index].map { .number(Double($0)) })),
          ("label", .integer(Int(labels[index]))),
        ]).line
      }
      results.append((tally, lines))
    }
    return results
  }

  private func answers(
    _ chunk: [Int], _ model: any LanguageModel, _ judge: AnswerJudge, _ evaluator: Evaluator
  ) throws -> (tally: Tally, lines: [String]) {
    var (tally, lines) = (Tally(task.tallyKind), [String]())
    try evaluator.forEachAnswer([chunk], of: split, model, judge, parameters) { answer in
      tally += Tally(answerLoss: answer.loss, answer.grade)
      lines.append(
        JSONValue.object(omittingNil: [
          ("row", .integer(answer.row)), ("answer", .string(answer.text)),
          ("isExact", .bool(answer.grade.isExact)),
          ("isExpressionRight", answer.grade.isExpressionRight.map { .bool($0) }),
          ("reason", answer.grade.reason.map { .string($0) }),
        ]).line)
    }
    return (tally, lines)
  }
}
