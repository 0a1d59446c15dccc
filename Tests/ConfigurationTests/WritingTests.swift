import Configuration
import Foundation
import Testing

@Suite struct WritingTests {
  @Test func defaultsAreWrittenOutInTheOrderOfTheReadMe() {
    let expected = """
      seed: 1
      model:
        path: models/m
        task: classification
        precision: f32
      adapter:
        rank: 8
        alpha: 16
        targets: [query, value]
        dropout: 0
        head: shared
        rslora: false
      data:
        path: data/d
        maximum-length: 128
        held-out: 0.1
        partition:
          kind: iid
      clients:
        count: 8
        participation: 1
        weighting: examples
        placement: block
      training:
        rounds: 20
        steps: 10
        batch: 16
        optimizer: adamw
        betas: [0.9, 0.999]
        epsilon: 1e-08
        learning-rate: 0.001
        weight-decay: 0
        schedule: constant
        warm-up: 0
        clip-norm: 1
        optimizer-state: reset
      method:
        name: florana
      evaluate:
        every: 1
        personalised: true
        oracle: false
        batch: 64
        limit: null
        maximum-new-tokens: 128
      server:
        mode: root
        wire: f32
      checkpoint:
        every: 0

      """
    #expect(RunConfiguration(modelPath: "models/m", dataPath: "data/d").yaml() == expected)
  }

  @Test(arguments: 0..<300)
  func whatIsWrittenIsReadBackEqual(seed: Int) throws {
    var random = SplitMix64(state: UInt64(seed))
    let configuration = RunConfiguration.random(using: &random)
    let yaml = configuration.yaml()
    let again = try RunConfiguration(yaml: yaml)
    #expect(again == configuration, "\(yaml)")
    #expect(again.yaml() == yaml)
  }
}

/// A small generator for tests: its numbers follow from its state alone.
struct SplitMix64: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }
}

extension RunConfiguration {
  static func random(using random: inout SplitMix64) -> Self {
    var result = RunConfiguration(modelPath: text(&random), dataPath: text(&random))
    result.seed = random.next()
    result.adapter.alpha = number(&random)
    result.adapter.targets = ["query", text(&random) + "!", text(&random) + "?"]
    result.adapter.dropout = .random(in: 0..<1, using: &random)
    result.adapter.head = Head.allCases.randomElement(using: &random)!
    result.adapter.rslora = .random(using: &random)
    result.data.maximumLength = .random(in: 3...4096, using: &random)
    result.data.heldOut = .random(in: 0.001..<1, using: &random)
    result.data.partition = partition(&random, nested: false)
    result.clients.count = .random(in: 1...1000, using: &random)
    result.adapter.rank =
      .random(using: &random)
      ? .same(.random(in: 1...512, using: &random))
      : .perClient((0..<result.clients.count).map { _ in .random(in: 1...3, using: &random) })
    result.clients.participation = 1 - .random(in: 0..<1, using: &random)
    result.clients.weighting = Weighting.allCases.randomElement(using: &random)!
    result.clients.placement = Placement.allCases.randomElement(using: &random)!
    result.training = training(&random)
    result.method.name = Method.Name.allCases.randomElement(using: &random)!
    result.checkpoint.every = .random(in: 0...9, using: &random)
    result.evaluate.every = .random(in: 1...9, using: &random)
    result.evaluate.personalised = .random(using: &random)
    result.evaluate.oracle = .random(using: &random)
    result.evaluate.batch = .random(in: 1...99, using: &random)
    return result
  }

  private static func training(_ random: inout SplitMix64) -> Training {
    var result = Training()
    result.rounds = .random(in: 1...1000, using: &random)
    result.length = .random(using: &random) ? .steps(Int.random(in: 1...99, using: &random)) : .epochs(2)
    result.batch = .random(in: 1...99, using: &random)
    result.optimizer =
      .random(using: &random)
      ? .sgd(momentum: .random(in: 0..<1, using: &random))
      : .adamW(
        beta1: .random(in: 0..<1, using: &random), beta2: .random(in: 0..<1, using: &random),
        epsilon: number(&random))
    result.learningRate = number(&random)
    result.weightDecay = number(&random)
    result.schedule = Schedule.allCases.randomElement(using: &random)!
    result.warmUp = .random(in: 0...99, using: &random)
    result.clipNorm = .random(using: &random) ? nil : number(&random)
    result.optimizerState = OptimizerState.allCases.randomElement(using: &random)!
    return result
  }

  private static func partition(_ random: inout SplitMix64, nested: Bool) -> Partition {
    switch Int.random(in: 0..<(nested ? 3 : 4), using: &random) {
    case 0: .iid
    case 1: .dirichlet(alpha: 1e-6 + number(&random))
    case 2: .byLabel(shards: .random(in: 1...9, using: &random))
    default: .natural(within: partition(&random, nested: true))
    }
  }

  /// A positive number of any magnitude that Float32 has.
  private static func number(_ random: inout SplitMix64) -> Double {
    let magnitude = Double.random(in: -44...38, using: &random)
    return Double.random(in: 0.5..<1, using: &random) * pow(10, magnitude)
  }

  /// A text that may look like something else to YAML.
  private static func text(_ random: inout SplitMix64) -> String {
    let awkward = [
      "models/m", "true", "No", "~", "null", "8", "1e3", ".5", "..", "./a", "a: b", "#x", "- a", "[a", "\"",
      "'",
      " a ", "a\nb", "\u{0}\u{7f}\u{85}", "größe", "模型/🦉", "x\u{feff}", "a\\b", "%a", "@a", "&a", "*a", "!a",
      "=",
    ]
    return awkward.randomElement(using: &random)!
  }
}
