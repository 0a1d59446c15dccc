internal import Adapters
internal import Randomness
public import Telemetry
public import Transformer

/// Times greedy generation alone: prompts of random tokens, continued together on one thread, with adapters of rank 8
/// on the projections of queries and values.
public struct GenerationBenchmark {
  /// What was measured.
  public struct Result: Sendable, JSONRepresentable {
    public let promptTokens: Int
    public let newTokens: Int
    /// From the prompts to the first new token of each, and from there to the last.
    public let promptSeconds: Double
    public let generationSeconds: Double
    /// The most memory that the process has had resident.
    public let peakBytes: Int

    public var promptTokensPerSecond: Double { Double(promptTokens) / promptSeconds }
    /// New tokens a second, the first of each prompt left out.
    public var tokensPerSecond: Double { Double(newTokens) / generationSeconds }

    public var json: JSONValue {
      .object([
        ("benchmark", .string("generate")), ("promptTokens", .integer(promptTokens)),
        ("newTokens", .integer(newTokens)), ("promptTokensPerSecond", .number(promptTokensPerSecond)),
        ("tokensPerSecond", .number(tokensPerSecond)), ("peakBytes", .integer(peakBytes)),
      ])
    }
  }

  private let model: any LanguageModel
  private let parameters: AdapterParameters
  private let prompts: [[Int32]]
  private let newTokens: Int

  /// Opens a decoder; `prompts` of `length` tokens are each continued by `newTokens`, at least two.
  public init(modelPath: String, precision: Precision, prompts: Int, length: Int, newTokens: Int) throws {
    precondition(newTokens >= 2, "\(newTokens) new tokens")
    let pretrained = try PretrainedModel(path: modelPath, precision: precision)
    try pretrained.require(.languageModel)
    try pretrained.requirePositions(tokenCount: length + newTokens)
    let layout = AdapterLayout(
      layers: try pretrained.adaptedLayers(targets: pretrained.usualTargets, adapterRank: 8, scaling: 2),
      head: [],
      headMode: .frozen)
    model = try pretrained.languageModel(layout: layout)
    parameters = try pretrained.start(layout: layout, seed: 1)
    self.newTokens = newTokens
    self.prompts = (0..<prompts).map { number in
      var stream = RandomStream(RandomKey(seed: 1, purpose: .benchmark, client: number))
      return (0..<length).map { _ in Int32(stream.uniformInteger(below: pretrained.vocabularySize)) }
    }
  }

  /// Generates one token a prompt, then all of them; the difference is what the later ones take.
  public func run() -> Result {
    let memory = StepMemory()
    let peak = PeakMemory()
    func seconds(_ count: Int) -> Double {
      let watch = Stopwatch()
      parameters.values.withUnsafeBufferPointer { values in
        memory.reset()
        let continuations = model.generate(
          prompts: prompts, maximumNewTokens: count, stopTokens: [],
          .inference(values.baseAddress!, memory: memory))
        precondition(continuations.allSatisfy { $0.count == count }, "a continuation has ended early")
      }
      return watch.elapsedSeconds
    }
    _ = seconds(newTokens)
    let (first, all) = (seconds(1), seconds(newTokens))
    return Result(
      promptTokens: prompts.reduce(0) { $0 + $1.count }, newTokens: prompts.count * (newTokens - 1),
      promptSeconds: first, generationSeconds: all - first, peakBytes: peak.totalBytes)
  }
}
