import Configuration
import Testing

@Suite struct RefusalTests {
  /// What is appended to the minimal configuration, and what the one line of the error has to say.
  static let refusals: [(yaml: String, expected: String)] = [
    ("sed: 1", "c.yaml:3: sed: expected one of seed, model,"),
    ("sed: 1", "found sed; did you mean seed?"),
    ("training: { learning_rate: 1 }", "training.learning_rate"),
    ("training: { learning_rate: 1 }", "did you mean learning-rate?"),
    ("training:\n  rounds: 3\n  batchsize: 4", "c.yaml:5: training.batchsize"),
    (
      "method: { name: florna }",
      "method.name: expected one of fedit, florana, florana-matrix, ffa-lora, rolora, fedsa-lora, flexlora, flora, fedex-lora, hetlora, lora-fair, fed-sb, ideal; found florna; did you mean florana?"
    ),
    (
      "method: { name: [fedit] }",
      "expected one of fedit, florana, florana-matrix, ffa-lora, rolora, fedsa-lora, flexlora, flora, fedex-lora, hetlora, lora-fair, fed-sb, ideal; found a list"
    ),
    ("training: { rounds: many }", "training.rounds: expected a whole number from 1 to 10000000, found many"),
    ("training: { rounds: 0 }", "expected a whole number from 1 to 10000000, found 0"),
    ("training: { rounds: \"3\" }", "found the text \"3\""),
    ("training: { rounds: [3] }", "found a list"),
    ("training: { rounds: null }", "found nothing"),
    ("training: 3", "training: expected a section of keys, found 3"),
    ("adapter: { rank: 8.5 }", "adapter.rank: expected a whole number of at least 1, found 8.5"),
    (
      "adapter: { rank: [8, 4] }",
      "adapter.rank: expected one adapter rank for each of 8 clients, found 2"
    ),
    (
      "clients: { count: 2 }\nadapter: { rank: [8, 0] }",
      "adapter.rank: expected a whole number of at least 1, found 0"
    ),
    ("adapter: { rank: { a: 1 } }", "adapter.rank: expected clients from 0 to 7 such as 2 or 0-7, found a"),
    ("adapter: { rank: { 0-8: 1 } }", "found 0-8"),
    ("adapter: { rank: { 3-1: 1 } }", "found 3-1"),
    ("adapter: { rank: { -1: 1 } }", "found -1"),
    ("adapter: { rank: { 0-7: none } }", "expected a whole number of at least 1, found none"),
    ("adapter: { rank: { 0-6: 1 } }", "expected an adapter rank for every client, found none for client 7"),
    ("adapter: { rank: { 0-7: 1, 3: 2 } }", "expected each client once, found client 3 twice"),
    ("adapter: { alpha: 0 }", "adapter.alpha: expected a number above 0, found 0"),
    ("adapter: { alpha: .nan }", "found .nan"),
    ("adapter: { alpha: 0x10 }", "found 0x10"),
    ("adapter: { alpha: 1e999 }", "found 1e999"),
    ("adapter: { targets: query }", "adapter.targets: expected a list"),
    ("adapter: { targets: [] }", "found an empty list"),
    ("adapter: { targets: [query, query] }", "found query twice"),
    ("adapter: { targets: [query, \"\"] }", "expected a text that is not empty"),
    ("adapter: { dropout: 1 }", "expected a number in [0, 1) in single precision, found 1"),
    ("adapter: { head: sharde }", "did you mean shared?"),
    ("adapter: { rslora: yes }", "expected true or false, found yes"),
    ("clients: { count: 0 }", "clients.count"),
    ("clients: { participation: 0 }", "expected a number in (0, 1], found 0"),
    ("clients: { participation: 1.01 }", "expected a number in (0, 1], found 1.01"),
    ("clients: { placement: blok }", "did you mean block?"),
    ("training: { batch: 0 }", "training.batch"),
    ("training: { learning-rate: 0 }", "expected a number above 0"),
    ("training: { weight-decay: -1 }", "expected a number of at least 0"),
    ("training: { warm-up: -1 }", "training.warm-up"),
    ("training: { clip-norm: -1 }", "training.clip-norm"),
    ("training: { steps: 1, epochs: 1 }", "training.epochs: expected steps or epochs, found both"),
    ("training: { momentum: 0.9 }", "training.momentum: expected only with optimizer: sgd"),
    (
      "training: { optimizer: sgd, betas: [0.9, 0.99] }",
      "training.betas: expected only with optimizer: adamw"
    ),
    ("training: { optimizer: sgd, epsilon: 1e-8 }", "training.epsilon"),
    ("training: { optimizer: sgd, momentum: 1 }", "expected a number in [0, 1)"),
    ("training: { betas: [0.9] }", "expected two numbers, found 1"),
    (
      "training: { betas: [0.9, 1] }",
      "training.betas: expected a number in [0, 1) in single precision, found 1"
    ),
    ("training: { betas: 0.9 }", "expected a list"),
    ("training: { betas: [0.9, 0.99999999999] }", "in single precision, found 0.99999999999"),
    ("training: { betas: [0.99999999999, 0.9] }", "training.betas: expected a number in [0, 1)"),
    ("training: { optimizer: sgd, momentum: 0.99999999999 }", "training.momentum: expected"),
    ("adapter: { dropout: 0.99999999999 }", "adapter.dropout: expected a number in [0, 1)"),
    ("training: { epsilon: 1e-50 }", "training.epsilon: expected a number above 0 in single precision"),
    ("training: { learning-rate: 1e-50 }", "training.learning-rate: expected a number above 0"),
    ("training: { learning-rate: 1e39 }", "training.learning-rate: expected a number above 0"),
    ("training: { batch: \(Int.max) }", "training.batch: expected a whole number from 1 to 1000000"),
    ("training: { batch: 1000001 }", "found 1000001"),
    ("training: { rounds: \(Int.max) }", "training.rounds: expected a whole number from 1 to 10000000"),
    ("training: { rounds: 10000001 }", "found 10000001"),
    ("training: { steps: 1000001 }", "training.steps: expected a whole number from 1 to 1000000"),
    ("training: { epochs: 1000001 }", "training.epochs: expected a whole number from 1 to 1000000"),
    ("clients: { count: 16777216 }", "clients.count: expected a whole number from 1 to 16777215"),
    ("evaluate: { batch: \(Int.max) }", "evaluate.batch: expected a whole number from 1 to 1000000"),
    ("evaluate: { every: 0 }", "evaluate.every"),
    ("server: { mode: shard }", "server.mode: expected one of root, pipelined, sharded; found shard"),
    ("server: { wire: bf61 }", "server.wire: expected one of f32, bf16, f16; found bf61; did you mean bf16?"),
    ("server: { wire: 16 }", "server.wire: expected one of f32, bf16, f16; found 16"),
    ("checkpoint: { every: -1 }", "expected a whole number of at least 0"),
    ("seed: -1", "seed: expected a whole number from 0"),
    ("seed: 1\nseed: 2", "seed: expected each key once"),
    ("\"a\\nb\": 1", "c.yaml:3: a b: expected one of"),
    ("\"a\\nb\": 1\n\"a\\nb\": 1", "a b: expected each key once"),
    (String(repeating: "[", count: 2000), "expected YAML"),
    ("? [a]\n: 1", "expected the name of a key"),
    ("seed: [", "expected YAML"),
    ("---\nseed: 1", "c.yaml:3: expected YAML"),
  ]

  @Test(arguments: refusals)
  func aWrongSettingIsRefused(yaml: String, expected: String) {
    #expect {
      try RunConfiguration(yaml: minimal + "\n" + yaml, source: "c.yaml")
    } throws: { error in
      let line = "\(error)"
      return error is ConfigurationError && line.hasPrefix("c.yaml") && line.contains(expected)
        && !line.contains { $0.isNewline }
    }
  }

  /// The same for what stands in the two sections of the minimal configuration.
  @Test(
    arguments: [
      ("", "model.path: expected a text that is not empty, found nothing; the key is required"),
      ("data: { path: d }", "model.path"),
      ("model: { path: m }", "data.path"),
      ("model: { path: \"\" }", "model.path: expected a text that is not empty"),
      ("model: { path: m, task: regression }", "model.task: regression is not available in this version"),
      ("model: { path: m, task: clasification }", "did you mean classification?"),
      ("model: { path: m }\ndata: { path: d, held-out: 1 }", "data.held-out: expected a number in [0, 1)"),
      ("model: { path: m }\ndata: { path: d, held-out: 0 }", "evaluate.personalised"),
      (
        "model: { path: m }\ndata: { path: d, maximum-length: 2 }",
        "data.maximum-length: expected a whole number of at least 3, found 2"
      ),
      (
        "model: { path: m }\ndata: { path: d, partition: { kind: dirichlet, alpha: 1e-310 } }",
        "data.partition.alpha: expected a number of at least 1e-06, found 1e-310"
      ),
      (
        "model: { path: m }\ndata: { path: d, partition: { kind: natural, within: { kind: dirichlet, alpha: 1e-7 } } }",
        "data.partition.within.alpha"
      ),
      (
        "model: { path: m }\ndata: { path: d, partition: { alpha: 1 } }",
        "expected only with kind: dirichlet; found 1"
      ),
      (
        "model: { path: m }\ndata: { path: d, partition: { kind: dirichlet, alpha: 0 } }",
        "data.partition.alpha"
      ),
      (
        "model: { path: m }\ndata: { path: d, partition: { kind: iid, shards: 1 } }",
        "only with kind: by-label"
      ),
      (
        "model: { path: m }\ndata: { path: d, partition: { kind: by-label, shards: 0 } }",
        "data.partition.shards"
      ),
      (
        "model: { path: m }\ndata: { path: d, partition: { kind: iid, within: { kind: iid } } }",
        "only with kind: natural"
      ),
      (
        "model: { path: m }\ndata: { path: d, partition: { kind: natural, within: { kind: natural } } }",
        "data.partition.within.kind"
      ),
      ("- a", "expected a section of keys, found a list"),
    ])
  func aWrongFileIsRefused(yaml: String, expected: String) {
    #expect {
      try RunConfiguration(yaml: yaml, source: "c.yaml")
    } throws: {
      "\($0)".hasPrefix("c.yaml:") && "\($0)".contains(expected)
    }
  }

  @Test func aliasesCannotExpandWithoutBound() {
    let levels = (1...12).map {
      "l\($0): &l\($0) [\(Array(repeating: "*l\($0 - 1)", count: 9).joined(separator: ", "))]"
    }
    let yaml = "l0: &l0 [a]\n" + levels.joined(separator: "\n")
    #expect { try RunConfiguration(yaml: yaml) } throws: { "\($0)".contains("at most 10000 values") }
  }

  @Test func aLongTextIsCutInTheMessage() {
    let yaml = minimal + "\nseed: " + String(repeating: "x", count: 500)
    #expect { try RunConfiguration(yaml: yaml) } throws: { "\($0)".count < 200 }
  }
}

@Suite struct UnknownNameTests {
  @Test func anUnknownNameOfTheModelReadsLikeAnyOther() {
    let error = ConfigurationError(keyPath: "adapter.targets", unknown: "quary", valid: ["query", "value"])
    #expect("\(error)" == "adapter.targets: expected one of query, value; found quary; did you mean query?")
  }
}
