import Configuration
import Foundation
import TestSupport
import Testing

/// A configuration with nothing but the required keys.
let minimal = """
  model: { path: models/m }
  data: { path: data/d }
  """

@Suite struct LoadingTests {
  @Test func requiredKeysAloneGiveTheDefaults() throws {
    let configuration = try RunConfiguration(yaml: minimal)
    #expect(configuration == RunConfiguration(modelPath: "models/m", dataPath: "data/d"))
    #expect(configuration.adapter.rank == .same(8))
    #expect(configuration.adapter.targets == ["query", "value"])
    #expect(configuration.training.length == .steps(10))
    #expect(configuration.training.clipNorm == 1)
    #expect(configuration.method.name == .florana)
  }

  @Test func everyKeyIsRead() throws {
    let configuration = try RunConfiguration(
      yaml: """
        seed: 18446744073709551615
        model: { path: ../models/m, task: classification }
        adapter: { rank: 4, alpha: 12.5, targets: [query, key, value], dropout: 0.05, head: local, rslora: true }
        data: { path: data/d, maximum-length: 64, held-out: 0.2,
                partition: { kind: natural, within: { kind: by-label, shards: 3 } } }
        clients: { count: 12, participation: 0.25, weighting: uniform, placement: cyclic }
        training: { rounds: 3, epochs: 2, batch: 8, optimizer: sgd, learning-rate: 1e-3, weight-decay: 0.01,
                    momentum: 0.9, schedule: linear, warm-up: 5, clip-norm: 0, optimizer-state: keep }
        method: { name: florana-matrix }
        evaluate: { every: 2, personalised: false, oracle: true, batch: 32 }
        server: { mode: root, wire: bf16 }
        checkpoint: { every: 5 }
        """)
    var expected = RunConfiguration(modelPath: "../models/m", dataPath: "data/d")
    expected.seed = .max
    expected.adapter.rank = .same(4)
    expected.adapter.alpha = 12.5
    expected.adapter.targets = ["query", "key", "value"]
    expected.adapter.dropout = 0.05
    expected.adapter.head = .local
    expected.adapter.rslora = true
    expected.data.maximumLength = 64
    expected.data.heldOut = 0.2
    expected.data.partition = .natural(within: .byLabel(shards: 3))
    expected.clients.count = 12
    expected.clients.participation = 0.25
    expected.clients.weighting = .uniform
    expected.clients.placement = .cyclic
    expected.training.rounds = 3
    expected.training.length = .epochs(2)
    expected.training.batch = 8
    expected.training.optimizer = .sgd(momentum: 0.9)
    expected.training.weightDecay = 0.01
    expected.training.schedule = .linear
    expected.training.warmUp = 5
    expected.training.clipNorm = nil
    expected.training.optimizerState = .keep
    expected.method.name = .floranaMatrix
    expected.evaluate.every = 2
    expected.evaluate.personalised = false
    expected.evaluate.oracle = true
    expected.evaluate.batch = 32
    expected.server.wire = .bf16
    expected.checkpoint.every = 5
    #expect(configuration == expected)
  }

  @Test func theExampleOfTheReadMeIsRead() throws {
    let configuration = try RunConfiguration(
      yaml: """
        seed: 1
        model:    { path: models/a, task: classification }     # a Hugging Face checkpoint folder
        adapter:  { rank: 8, alpha: 16, targets: [query, value], dropout: 0.05, head: shared }
        data:     { path: data/b, maximum-length: 128, partition: { kind: dirichlet, alpha: 0.5 } }
        clients:  { count: 8, participation: 1.0, weighting: examples }
        training: { rounds: 20, steps: 10, batch: 16, optimizer: adamw, learning-rate: 1e-3, schedule: constant }
        method:   { name: florana }
        evaluate: { every: 1, personalised: true, oracle: false }
        server:   { mode: root }
        """)
    var expected = RunConfiguration(modelPath: "models/a", dataPath: "data/b")
    expected.adapter.dropout = 0.05
    expected.data.partition = .dirichlet(alpha: 0.5)
    #expect(configuration == expected)
  }

  @Test(
    arguments: [
      "data.maximum-length=3", "data.partition={kind: dirichlet, alpha: 1e-6}", "clients.count=16777215",
      "training.rounds=10000000", "training.steps=1000000", "training.epochs=1000000",
      "training.batch=1000000", "training.betas=[0.9, 0.9999999]", "adapter.dropout=0.9999999",
    ])
  func theBoundsThemselvesAreTaken(override: String) throws {
    _ = try RunConfiguration(yaml: minimal, overrides: [override])
  }

  @Test func emptySectionsAndNullsKeepTheDefaults() throws {
    let yaml = minimal + "\ntraining:\nclients: {}\n"
    #expect(try RunConfiguration(yaml: yaml) == RunConfiguration(yaml: minimal))
    let epochs = try RunConfiguration(yaml: minimal + "\ntraining: { steps: null, epochs: 3 }")
    #expect(epochs.training.length == .epochs(3))
  }

  @Test func clipNormIsSwitchedOffByNullAndZero() throws {
    #expect(
      try RunConfiguration(yaml: minimal, overrides: ["training.clip-norm=null"]).training.clipNorm == nil)
    #expect(try RunConfiguration(yaml: minimal, overrides: ["training.clip-norm=0"]).training.clipNorm == nil)
    #expect(
      try RunConfiguration(yaml: minimal, overrides: ["training.clip-norm=0.5"]).training.clipNorm == 0.5)
  }

  @Test func aFileIsReadAndNamedInErrors() throws {
    let folder = try TemporaryFolder()
    defer { withExtendedLifetime(folder) {} }
    let path = try folder.write(minimal + "\nsede: 2\n", to: "a.yaml")
    #expect {
      try RunConfiguration.load(path: path)
    } throws: {
      "\($0)".hasPrefix("\(path):3: sede: ") && "\($0)".hasSuffix("did you mean seed?")
    }
    try folder.write(minimal, to: "a.yaml")
    #expect(try RunConfiguration.load(path: path, overrides: ["seed=2"]).seed == 2)
    try folder.write([0x61, 0xff, 0xfe] as [UInt8], to: "a.yaml")
    #expect { try RunConfiguration.load(path: path) } throws: { "\($0)".contains("not UTF-8") }
    #expect { try RunConfiguration.load(path: folder.path) } throws: { "\($0)".contains("found a folder") }
    #expect { try RunConfiguration.load(path: path + "x") } throws: {
      "\($0)".contains("found nothing there")
    }
  }
}

@Suite struct OverrideTests {
  @Test func valuesAreReadAsYAML() throws {
    let configuration = try RunConfiguration(
      yaml: minimal,
      overrides: [
        "training.rounds=3", "adapter.targets=[query, key]", "model.path=a b=c",
        "data.partition={kind: dirichlet, alpha: 0.1}", "evaluate.oracle=true",
      ])
    #expect(configuration.training.rounds == 3)
    #expect(configuration.adapter.targets == ["query", "key"])
    #expect(configuration.model.path == "a b=c")
    #expect(configuration.data.partition == .dirichlet(alpha: 0.1))
    #expect(configuration.evaluate.oracle)
  }

  @Test func theLastOneWins() throws {
    #expect(try RunConfiguration(yaml: minimal, overrides: ["seed=3", "seed=4"]).seed == 4)
  }

  @Test func nullTakesAKeyOfTheFileAway() throws {
    let yaml = minimal + "\ntraining: { steps: 5 }"
    let overrides = ["training.steps=null", "training.epochs=1"]
    #expect(try RunConfiguration(yaml: yaml, overrides: overrides).training.length == .epochs(1))
  }

  @Test(
    arguments: [
      ("training.rouds=3", "--set training.rouds=3: training.rouds: expected one of rounds"),
      ("trainig.rounds=3", "--set trainig.rounds=3: trainig: expected one of seed"),
      ("training.rounds", "expected key.path=value, found no ="),
      ("training..rounds=2", "found an empty key"),
      ("seed.x=2", "seed: expected a section of keys, found 1"),
      ("training.rounds=[1", "expected YAML"),
      ("training.rounds=", "training.rounds: expected a whole number from 1 to 10000000, found nothing"),
    ])
  func aWrongOneIsRefusedAndShown(override: String, expected: String) {
    #expect {
      try RunConfiguration(yaml: minimal + "\nseed: 1", overrides: [override])
    } throws: {
      "\($0)".contains(expected)
    }
  }
}
