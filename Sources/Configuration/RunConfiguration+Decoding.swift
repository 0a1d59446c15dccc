extension RunConfiguration {
  /// Decodes and checks the whole tree, section by section.
  init(decoding root: SettingNode) throws(ConfigurationError) {
    let document = try Section<RootKey>(root, path: "", around: root.origin)
    let data = try document.section(.data, DataKey.self)
    model = try Model(document.section(.model))
    self.data = try Data(data)
    seed = try document.value(.seed, default: seed)
    clients = try Clients(document.section(.clients))
    adapter = try Adapter(document.section(.adapter), clientCount: clients.count, model.task)
    training = try Training(document.section(.training))
    method = try Method(document.section(.method))
    let evaluation = try document.section(.evaluate, EvaluateKey.self)
    evaluate = try Evaluate(evaluation)
    server = try Server(document.section(.server))
    checkpoint = try Checkpoint(document.section(.checkpoint))
    if evaluate.personalised, self.data.heldOut == 0 {
      throw data.error(
        .heldOut, "expected a share above 0 with evaluate.personalised: true, found 0; set one of the two")
    }
  }
}

extension RunConfiguration.Model {
  init(_ section: Section<ModelKey>) throws(ConfigurationError) {
    self.init(path: try section.required(.path, .notEmpty))
    task = try section.choice(
      .task, default: task,
      unavailable: ["regression"])
    precision = try section.choice(.precision, default: precision)
  }
}

extension RunConfiguration.Adapter {
  init(
    _ section: Section<AdapterKey>, clientCount: Int, _ task: RunConfiguration.Task
  ) throws(ConfigurationError) {
    rank = try AdapterRanks(section, clientCount: clientCount) ?? rank
    alpha = try section.value(.alpha, default: alpha, .positive)
    targets = try section.list(.targets, .notEmpty) ?? targets
    dropout = try section.value(.dropout, default: dropout, .singlePrecisionShare)
    head = try section.choice(.head, default: task == .generation ? .frozen : head)
    if task == .generation, head != .frozen {
      throw section.error(.head, "expected frozen, as a decoder has no classifier, found \(head.rawValue)")
    }
    rslora = try section.value(.rslora, default: rslora)
    try checkTargets(section)
  }

  private func checkTargets(_ section: Section<AdapterKey>) throws(ConfigurationError) {
    if targets.isEmpty {
      throw section.error(.targets, "expected at least one layer's name, found an empty list")
    }
    let repeated = targets.indices.first { targets[..<$0].contains(targets[$0]) }
    if let repeated {
      throw section.error(.targets, "expected each name once, found \(shown(targets[repeated])) twice")
    }
  }
}

extension RunConfiguration.Data {
  init(_ section: Section<DataKey>) throws(ConfigurationError) {
    self.init(path: try section.required(.path, .notEmpty))
    maximumLength = try section.value(.maximumLength, default: maximumLength, .atLeast(3))
    heldOut = try section.value(.heldOut, default: heldOut, .share)
    partition = try RunConfiguration.Partition(section.section(.partition))
  }
}

extension RunConfiguration.Partition {
  init(_ section: Section<PartitionKey>) throws(ConfigurationError) {
    let kind = try section.choice(.kind, default: PartitionKind.iid)
    if kind != .dirichlet { try section.refuse(.alpha, onlyWith: "kind: dirichlet") }
    if kind != .byLabel { try section.refuse(.shards, onlyWith: "kind: by-label") }
    if kind != .natural { try section.refuse(.within, onlyWith: "kind: natural") }
    switch kind {
    case .iid: self = .iid
    case .dirichlet: self = .dirichlet(alpha: try section.optional(.alpha, .atLeast(1e-6)) ?? 0.5)
    case .byLabel: self = .byLabel(shards: try section.optional(.shards, .atLeast(1)) ?? 2)
    case .natural: self = .natural(within: try Self.within(section))
    }
  }

  private static func within(_ section: Section<PartitionKey>) throws(ConfigurationError) -> Self {
    let inner = try section.section(.within, PartitionKey.self)
    let partition = try Self(inner)
    if case .natural = partition {
      throw inner.error(
        .kind, "expected iid, dirichlet or by-label within a natural partition, found natural")
    }
    return partition
  }
}

extension RunConfiguration.Clients {
  init(_ section: Section<ClientsKey>) throws(ConfigurationError) {
    // Random numbers name a client with 24 bits.
    count = try section.value(.count, default: count, .within(1...(1 << 24) - 1))
    participation = try section.value(.participation, default: participation, .positiveShare)
    weighting = try section.choice(.weighting, default: weighting)
    placement = try section.choice(.placement, default: placement)
  }
}

extension RunConfiguration.Training {
  init(_ section: Section<TrainingKey>) throws(ConfigurationError) {
    rounds = try section.value(.rounds, default: rounds, .within(1...10_000_000))
    length = try RunConfiguration.Length(section)
    batch = try section.value(.batch, default: batch, .upToAMillion)
    optimizer = try RunConfiguration.Optimizer(section)
    learningRate = try section.value(.learningRate, default: learningRate, .positiveSinglePrecision)
    weightDecay = try section.value(.weightDecay, default: weightDecay, .atLeast(0))
    schedule = try section.choice(.schedule, default: schedule)
    warmUp = try section.value(.warmUp, default: warmUp, .atLeast(0))
    optimizerState = try section.choice(.optimizerState, default: optimizerState)
    if section.contains(.clipNorm) {
      let bound = try section.optional(.clipNorm, .atLeast(0.0))
      clipNorm = bound == 0 ? nil : bound
    }
  }
}

extension RunConfiguration.Length {
  init(_ section: Section<TrainingKey>) throws(ConfigurationError) {
    let steps = try section.optional(.steps, Requirement<Int>.upToAMillion)
    let epochs = try section.optional(.epochs, Requirement<Int>.upToAMillion)
    if let steps, let epochs {
      throw section.error(
        .epochs, "expected steps or epochs, found both (\(steps) and \(epochs)); set one of them to null")
    }
    self = epochs.map { .epochs($0) } ?? .steps(steps ?? 10)
  }
}

extension RunConfiguration.Optimizer {
  init(_ section: Section<TrainingKey>) throws(ConfigurationError) {
    switch try section.choice(.optimizer, default: OptimizerName.adamw) {
    case .adamw:
      try section.refuse(.momentum, onlyWith: "optimizer: sgd")
      let betas: [Double] =
        try section.holds(.betas) ? section.list(.betas, .singlePrecisionShare) ?? [] : [0.9, 0.999]
      guard betas.count == 2 else {
        throw section.error(.betas, "expected two numbers, found \(betas.count)")
      }
      let epsilon = try section.optional(.epsilon, .positiveSinglePrecision) ?? 1e-8
      self = .adamW(beta1: betas[0], beta2: betas[1], epsilon: epsilon)
    case .sgd:
      try section.refuse(.betas, .epsilon, onlyWith: "optimizer: adamw")
      self = .sgd(momentum: try section.optional(.momentum, .singlePrecisionShare) ?? 0)
    }
  }
}

extension RunConfiguration.Method {
  init(_ section: Section<MethodKey>) throws(ConfigurationError) {
    name = try section.choice(.name, default: name)
  }
}

extension RunConfiguration.Evaluate {
  init(_ section: Section<EvaluateKey>) throws(ConfigurationError) {
    every = try section.value(.every, default: every, .atLeast(1))
    personalised = try section.value(.personalised, default: personalised)
    oracle = try section.value(.oracle, default: oracle)
    batch = try section.value(.batch, default: batch, .upToAMillion)
    limit = try section.optional(.limit, .atLeast(1))
    maximumNewTokens = try section.value(.maximumNewTokens, default: maximumNewTokens, .upToAMillion)
  }
}

extension RunConfiguration.Server {
  init(_ section: Section<ServerKey>) throws(ConfigurationError) {
    mode = try section.choice(.mode, default: mode)
    wire = try section.choice(.wire, default: wire)
  }
}

extension RunConfiguration.Checkpoint {
  init(_ section: Section<CheckpointKey>) throws(ConfigurationError) {
    every = try section.value(.every, default: every, .atLeast(0))
  }
}
