internal import Adapters
internal import ClientData
internal import Randomness
public import Telemetry
public import Transformer

/// Times the local training step alone: forward, backward and AdamW on one thread, without dropout.
public struct StepBenchmark {
  /// What is trained on.
  public enum Input: Sendable {
    /// Full batches of random tokens: `batch` rows of `length` tokens, with two labels, or of a decoder all but the
    /// first to be predicted.
    case random(batch: Int, length: Int)
    /// Ragged batches of a prepared data set's training rows, spread evenly over the whole set.
    case data(folder: String, batch: Int)
  }

  /// What was measured.
  public struct Result: Sendable, JSONRepresentable {
    public let steps: Int
    public let tokens: Int
    public let seconds: Double
    public let lossFirst: Double
    public let lossLast: Double
    /// Multiplications and additions of all matrix products.
    public let operations: Int
    /// Shares of the time by kind of work, in a run of the same steps that is timed piece by piece; what is left
    /// of 1 is everything else.
    public let shares: [(kernel: String, share: Double)]
    /// Operations a second of the products with base weights and of attention, timed alone at the same shapes.
    public let productOperationsPerSecond: Double
    /// The steps' seconds over those of these products alone.
    public let ratioToProducts: Double
    /// Forward passes over the same batches as evaluation runs them, in seconds; and over the time of their base and
    /// attention products alone.
    public let evaluationSeconds: Double
    public let evaluationRatioToProducts: Double
    public let memory: Memory

    public var tokensPerSecond: Double { Double(tokens) / seconds }
    public var evaluatedTokensPerSecond: Double { Double(tokens) / evaluationSeconds }
    public var gigaflopsPerSecond: Double { Double(operations) / seconds * 1e-9 }
    /// The operations a second of the steps over those of the products alone.
    public var shareOfBLAS: Double { Double(operations) / seconds / productOperationsPerSecond }

    public var json: JSONValue {
      .object([
        ("benchmark", .string("step")), ("steps", .integer(steps)), ("tokens", .integer(tokens)),
        ("seconds", .number(seconds)), ("tokensPerSecond", .number(tokensPerSecond)),
        ("operations", .integer(operations)), ("gigaflopsPerSecond", .number(gigaflopsPerSecond)),
        ("shareOfBLAS", .number(shareOfBLAS)), ("ratioToProducts", .number(ratioToProducts)),
        ("shares", .object(shares.map { ($0.kernel, .number($0.share)) })),
        ("evaluatedTokensPerSecond", .number(evaluatedTokensPerSecond)),
        ("evaluationRatioToProducts", .number(evaluationRatioToProducts)), ("memory", memory.json),
        ("peakBytes", .integer(memory.peakBytes)), ("lossFirst", .number(lossFirst)),
        ("lossLast", .number(lossLast)),
      ])
    }
  }

  /// What a process that trains holds, in bytes.
  public struct Memory: Sendable, JSONRepresentable {
    /// The most that has been resident.
    public let peakBytes: Int
    /// The checkpoint's files, mapped: the processes of a node share what they have read of them.
    public let mappedBytes: Int
    /// Activations: those of the backward pass, and those that every block writes again.
    public let activationBytes: Int
    /// A client's values, their gradient and the optimiser's state.
    public let trainedBytes: Int

    public var json: JSONValue {
      .object([
        ("peakBytes", .integer(peakBytes)), ("mappedBytes", .integer(mappedBytes)),
        ("activationBytes", .integer(activationBytes)), ("trainedBytes", .integer(trainedBytes)),
      ])
    }
  }

  private let trainer: LocalTrainer
  private let mappedBytes: Int
  private let start: AdapterParameters
  private let batches: [TokenBatch]
  /// A forward pass as evaluation makes it.
  private let evaluate: (TokenBatch, Pass) -> Void

  /// Opens the model and makes the batches of all steps; adapters of rank 8 on the
  /// projections of queries and values, α = 16.
  public init(
    modelPath: String, precision: Precision = .float32, input: Input, steps: Int, learningRate: Float = 2e-3
  ) throws {
    let pretrained = try PretrainedModel(path: modelPath, precision: precision)
    self.learningRate = learningRate
    let task: PretrainedModel.Task =
      pretrained.tasks.contains(.classification) ? .classification : .languageModel
    let labelCount: Int
    (batches, labelCount) = try Self.batches(input, steps: steps, task, pretrained, modelPath: modelPath)
    let model: any TrainableModel
    switch task {
    case .classification:
      let layout = try Self.layout(
        pretrained, head: pretrained.headTensors(labelCount: labelCount))
      let classifier = try pretrained.classifier(layout: layout)
      (model, evaluate) = (classifier, { _ = classifier.logits($0, $1) })
    case .languageModel:
      let language = try pretrained.languageModel(
        layout: try Self.layout(pretrained, head: []))
      (model, evaluate) = (language, { _ = language.answerLosses($0, $1) })
    }
    mappedBytes = pretrained.folder.mappedByteCount
    start = try pretrained.start(layout: model.layout, seed: 1)
    trainer = LocalTrainer(
      model: model, optimizer: .adamW(beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0), clipNorm: nil,
      dropoutProbability: 0)
  }

  private static func layout(
    _ pretrained: PretrainedModel, head: [HeadTensor]
  ) throws -> AdapterLayout {
    AdapterLayout(
      layers: try pretrained.adaptedLayers(targets: pretrained.usualTargets, adapterRank: 8, scaling: 2),
      head: head,
      headMode: .shared)
  }

  private let learningRate: Float

  /// Trains all steps after `warmUpSteps` untimed ones on the first batch, whose effect is undone, and once
  /// more to see what they are made of.
  public func run(warmUpSteps: Int) -> Result {
    let memory = PeakMemory()
    for _ in 0..<warmUpSteps { _ = losses(of: batches.prefix(1)) }
    let watch = Stopwatch()
    let losses = losses(of: batches[...])
    let (seconds, peakBytes) = (watch.elapsedSeconds, memory.totalBytes)
    let (profile, profiledSeconds) = profile()
    var timer = ProductTimer()
    let productSeconds = timer.secondsOfBaseAndAttention(profile)
    let productOperations = [Kernel.base, .attention].reduce(0) { $0 + profile.operationCount($1) }
    let (evaluationSeconds, evaluationProfile) = evaluation()
    return Result(
      steps: batches.count, tokens: batches.reduce(0) { $0 + $1.tokenCount }, seconds: seconds,
      lossFirst: losses.first!, lossLast: losses.last!,
      operations: Kernel.allCases.reduce(0) { $0 + profile.operationCount($1) },
      shares: Kernel.allCases.map { ($0.rawValue, (profile.seconds[$0] ?? 0) / profiledSeconds) },
      productOperationsPerSecond: Double(productOperations) / productSeconds,
      ratioToProducts: seconds / productSeconds, evaluationSeconds: evaluationSeconds,
      evaluationRatioToProducts: evaluationSeconds / timer.secondsOfBaseAndAttention(evaluationProfile),
      memory: Memory(
        peakBytes: peakBytes, mappedBytes: mappedBytes, activationBytes: trainer.activationByteCount,
        trainedBytes: 4 * start.layout.count * MemoryLayout<Float>.stride))
  }

  /// Forward passes over all batches, timed after one that is not and before one that is profiled.
  private func evaluation() -> (seconds: Double, profile: StepProfile) {
    let memory = StepMemory()
    func pass(_ batches: ArraySlice<TokenBatch>, _ profile: StepProfile? = nil) {
      start.values.withUnsafeBufferPointer { values in
        for batch in batches {
          memory.reset()
          evaluate(batch, .inference(values.baseAddress!, memory: memory, profile: profile))
        }
      }
    }
    pass(batches.prefix(1))
    let watch = Stopwatch()
    pass(batches[...])
    let (seconds, profile) = (watch.elapsedSeconds, StepProfile())
    pass(batches[...], profile)
    return (seconds, profile)
  }

  private func profile() -> (profile: StepProfile, seconds: Double) {
    let profile = StepProfile()
    trainer.profile = profile
    defer { trainer.profile = nil }
    let watch = Stopwatch()
    _ = losses(of: batches[...])
    return (profile, watch.elapsedSeconds)
  }

  private func losses(of batches: ArraySlice<TokenBatch>) -> [Double] {
    var parameters = start
    var state = OptimizerState(count: start.layout.count)
    let key = RandomKey(seed: 1, purpose: .dropout)
    return batches.map { batch in
      trainer.step(
        batch, parameters: &parameters, state: &state, trained: start.layout.trainable,
        learningRate: learningRate, dropoutKey: key)
    }
  }

  private static func batches(
    _ input: Input, steps: Int, _ task: PretrainedModel.Task, _ pretrained: PretrainedModel, modelPath: String
  ) throws -> ([TokenBatch], labelCount: Int) {
    switch input {
    case .random(let batch, let length):
      try pretrained.requirePositions(tokenCount: length)
      return ((0..<steps).map { randomBatch(batch, length, step: $0, task, pretrained.vocabularySize) }, 2)
    case .data(let folder, let batch):
      let dataset = try Dataset(folder: folder)
      let split = try dataset.split("train")
      let maximumLength = dataset.description.maximumLength
      try requireFit(dataset, to: pretrained, modelPath: modelPath, maximumLength: maximumLength)
      let batches = (0..<steps).map { step in
        let rows = (0..<batch).map { ($0 * steps + step) * split.rowCount / (steps * batch) }
        return TokenBatch(PackedBatch(split, rows: rows, maximumLength: maximumLength))
      }
      return (batches, split.labelCount)
    }
  }

  private static func randomBatch(
    _ rows: Int, _ length: Int, step: Int, _ task: PretrainedModel.Task, _ vocabularySize: Int
  ) -> TokenBatch {
    var stream = RandomStream(RandomKey(seed: 1, purpose: .benchmark, step: step))
    let tokens = (0..<rows * length).map { _ in Int32(stream.uniformInteger(below: vocabularySize)) }
    let targets: TokenBatch.Targets =
      switch task {
      case .classification: .labels((0..<rows).map { _ in Int32(stream.uniformInteger(below: 2)) })
      case .languageModel: .answers(promptLengths: [Int](repeating: 1, count: rows))
      }
    return TokenBatch(tokens: tokens, offsets: (0...rows).map { $0 * length }, targets: targets)
  }
}
