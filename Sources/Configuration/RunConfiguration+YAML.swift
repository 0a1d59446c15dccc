extension RunConfiguration {
  /// The configuration with all defaults written out; reading it gives an equal value.
  ///
  /// The order of the keys is fixed and numbers keep every bit, so equal configurations give equal bytes.
  public func yaml() -> String { text.lines() }

  var text: YAMLText {
    section([
      (RootKey.seed, .integer(seed)),
      (.model, model.text),
      (.adapter, adapter.text),
      (.data, data.text),
      (.clients, clients.text),
      (.training, training.text),
      (.method, section([(MethodKey.name, .text(method.name.rawValue))])),
      (.evaluate, evaluate.text),
      (
        .server,
        section([(ServerKey.mode, .text(server.mode.rawValue)), (.wire, .text(server.wire.rawValue))])
      ),
      (.checkpoint, section([(CheckpointKey.every, .integer(checkpoint.every))])),
    ])
  }
}

private func section<Key: SectionKey>(_ entries: [(Key, YAMLText)]) -> YAMLText {
  .section(entries.map { (key: $0.rawValue, value: $1) })
}

extension RunConfiguration.Model {
  fileprivate var text: YAMLText {
    section([
      (ModelKey.path, .text(path)), (.task, .text(task.rawValue)), (.precision, .text(precision.rawValue)),
    ])
  }
}

extension RunConfiguration.Adapter {
  fileprivate var text: YAMLText {
    section([
      (AdapterKey.rank, rank.text),
      (.alpha, .number(alpha)),
      (.targets, .list(targets.map { .text($0) })),
      (.dropout, .number(dropout)),
      (.head, .text(head.rawValue)),
      (.rslora, .flag(rslora)),
    ])
  }
}

extension RunConfiguration.Data {
  fileprivate var text: YAMLText {
    section([
      (DataKey.path, .text(path)),
      (.maximumLength, .integer(maximumLength)),
      (.heldOut, .number(heldOut)),
      (.partition, partition.text),
    ])
  }
}

extension RunConfiguration.Partition {
  fileprivate var text: YAMLText {
    let (kind, parameter): (PartitionKind, (PartitionKey, YAMLText)?) =
      switch self {
      case .iid: (.iid, nil)
      case .dirichlet(let alpha): (.dirichlet, (.alpha, .number(alpha)))
      case .byLabel(let shards): (.byLabel, (.shards, .integer(shards)))
      case .natural(let within): (.natural, (.within, within.text))
      }
    return section([(PartitionKey.kind, .text(kind.rawValue))] + [parameter].compactMap { $0 })
  }
}

extension RunConfiguration.Clients {
  fileprivate var text: YAMLText {
    section([
      (ClientsKey.count, .integer(count)),
      (.participation, .number(participation)),
      (.weighting, .text(weighting.rawValue)),
      (.placement, .text(placement.rawValue)),
    ])
  }
}

extension RunConfiguration.Training {
  fileprivate var text: YAMLText {
    section(
      [(TrainingKey.rounds, .integer(rounds)), lengthEntry, (.batch, .integer(batch))]
        + optimizerEntries + [
          (.learningRate, .number(learningRate)),
          (.weightDecay, .number(weightDecay)),
          (.schedule, .text(schedule.rawValue)),
          (.warmUp, .integer(warmUp)),
          (.clipNorm, clipNorm.map { .number($0) } ?? .scalar("null")),
          (.optimizerState, .text(optimizerState.rawValue)),
        ])
  }

  private var lengthEntry: (TrainingKey, YAMLText) {
    switch length {
    case .steps(let count): (.steps, .integer(count))
    case .epochs(let count): (.epochs, .integer(count))
    }
  }

  private var optimizerEntries: [(TrainingKey, YAMLText)] {
    switch optimizer {
    case .adamW(let beta1, let beta2, let epsilon):
      [
        (.optimizer, .text(OptimizerName.adamw.rawValue)),
        (.betas, .list([.number(beta1), .number(beta2)])),
        (.epsilon, .number(epsilon)),
      ]
    case .sgd(let momentum):
      [(.optimizer, .text(OptimizerName.sgd.rawValue)), (.momentum, .number(momentum))]
    }
  }
}

extension RunConfiguration.Evaluate {
  fileprivate var text: YAMLText {
    section([
      (EvaluateKey.every, .integer(every)),
      (.personalised, .flag(personalised)),
      (.oracle, .flag(oracle)),
      (.batch, .integer(batch)),
      (.limit, limit.map { .integer($0) } ?? .scalar("null")),
      (.maximumNewTokens, .integer(maximumNewTokens)),
    ])
  }
}
