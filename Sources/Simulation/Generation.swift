internal import Adapters
internal import ClientData
public import MPI
internal import Telemetry
public import Transformer

/// Greedy continuations of the prompts of a data set, by a model with or without a PEFT adapter.
public struct Generation: Sendable {
  private let subject: AdaptedModel
  private let model: any LanguageModel
  private let judge: AnswerJudge
  private let chunks: DealtChunks

  /// Opens and checks model, adapter and data; `batch` is the number of prompts that are continued together, `limit`
  /// that of rows, spread evenly over the split (nil: all).
  ///
  /// - Throws: also for data and models of other tasks.
  public init(
    modelPath: String, dataPath: String, adapterPath: String?, split: String, batch: Int, limit: Int?,
    precision: Precision, maximumNewTokens: Int
  ) throws {
    let dataset = try Dataset(folder: dataPath)
    guard case .generation = dataset.description.task else {
      throw SimulationError.noPrompts(path: dataPath)
    }
    subject = try AdaptedModel(
      AdaptedModel.Names(model: modelPath, adapter: adapterPath, split: split), dataset,
      maximumLength: nil, precision: precision, maximumNewTokens: maximumNewTokens)
    guard case .language(let model, let judge) = subject.model else {
      preconditionFailure("prompts without a language model")
    }
    (self.model, self.judge) = (model, judge)
    chunks = DealtChunks(
      all: subject.split.evaluationChunks(of: subject.split.spreadRows(limit: limit), size: batch))
  }

  /// Generates on all ranks together. At rank 0 for every row in their order an object: `row`, the generated `tokens`
  /// (the stop token included) and their `text`; nil elsewhere.
  public func run(_ world: borrowing Communicator) throws -> [String]? {
    let memory = StepMemory()
    let own = subject.parameters.values.withUnsafeBufferPointer { values in
      chunks.of(rank: world.rank, size: world.size).map { chunk in
        memory.reset()
        return lines(chunk, .inference(values.baseAddress!, memory: memory))
      }
    }
    return try world.lines(own, of: chunks, to: 0)
  }

  private func lines(_ rows: [Int], _ pass: Pass) -> [String] {
    let continuations = judge.answers(toRows: rows, of: subject.split, by: model, pass)
    return zip(rows, continuations).map { row, tokens in
      JSONValue.object([
        ("row", .integer(row)), ("tokens", .array(tokens.map { .integer(Int($0)) })),
        ("text", .string(judge.text(of: tokens))),
      ]).line
    }
  }
}
