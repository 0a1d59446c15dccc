internal import Adapters
internal import Aggregation
internal import ClientData
internal import Configuration
internal import LinearAlgebra
internal import MPI
internal import Telemetry
internal import Transformer

extension Federation {
  /// A round as the paper's algorithm has it: sample, train, gather, estimate, broadcast, apply, evaluate.
  ///
  /// Returns what is reported at the root, nil elsewhere.
  func runRound(_ round: Int, _ world: borrowing Communicator) throws -> RoundOutcome? {
    timer.reset()
    var bytes = CountedBytes()
    let cohort = placeCohort(ofRound: round)
    let plans = RoundPlans(rule.wirePlan(round: round), experiment.family)
    let plan = plans.global
    let trained = try train(cohort, plans, round: round, world)
    bytes.packed = trained.updates.byteCount

    let exchanged = try exchange(trained, cohort, plans, round: round, counting: &bytes, world)
    bytes.applied = apply(
      exchanged.messages, forClients: placement.clients(of: cohort, onRank: world.rank), plans)
    if plan.base == .fold { restart(afterRound: round) }
    evaluated = try withReported(plan.reported, exchanged, world)

    let oracle = try evaluates(round) ? oracle(exchanged, under: evaluated.head, cohort, plan, world) : nil
    let metrics = try evaluates(round) ? testMetrics(experiment.model, evaluated, base, world) : nil
    let allOutcomes = try world.gather(
      trained.outcomes, of: cohort, placement: placement,
      evaluates(round) ? experiment.task.tallyKind : .nothing, to: Self.root)
    // A method that applies the ideal update exactly is its own oracle.
    let isExact = plan.base != .none && experiment.configuration.evaluate.oracle
    return try report(
      round, cohort, exchanged, allOutcomes, (metrics, isExact ? metrics : oracle), bytes, world)
  }

  func evaluates(_ round: Int) -> Bool {
    let configuration = experiment.configuration
    guard isEvaluated else { return false }
    return round % configuration.evaluate.every == 0 || round == configuration.training.rounds
  }

  /// What one rank's clients made of a round.
  struct Trained {
    /// What they send.
    var updates: PackedParcels
    /// What stays with them and is collected for reports alone.
    var reported: PackedParcels
    var outcomes: [ClientOutcome] = []

    init(_ parcels: [Parcel], _ wire: WireFormat) {
      updates = PackedParcels(parcels, wire)
      reported = PackedParcels(parcels, .f32)
    }

    /// Packs what a client sends, and what of it is collected for reports.
    mutating func append(
      _ parameters: AdapterParameters, of client: Int, _ plan: RoundPlan, round: Int
    ) throws {
      do {
        try updates.append(parameters, plan.uploaded)
        try reported.append(parameters, plan.reported)
      } catch {
        throw SimulationError.beyondWire(
          round: round, sender: "client \(client)",
          tensor: parameters.layout.layers.tensorName(ofFloat: error.index), cause: "\(error)")
      }
    }
  }

  /// Trains every rank's clients. When a client diverges, all ranks learn of it and throw together.
  private func train(
    _ cohort: [Int], _ plans: RoundPlans, round: Int, _ world: borrowing Communicator
  ) throws -> Trained {
    let clients = placement.clients(of: cohort, onRank: world.rank)
    let trained = Result { try train(clients, plans, round: round) }
    return try timer.measure(.wait) { try world.together { try trained.get() } }
  }

  /// Trains this rank's clients of the cohort and packs what they send.
  func train(_ clients: [Int], _ plans: RoundPlans, round: Int) throws -> Trained {
    var trained = Trained(parcels, experiment.configuration.server.wire)
    trained.updates.reserve(
      clients.map { (plans[client: $0].uploaded, experiment.family[client: $0].layout) })
    for client in clients {
      let plan = plans[client: client]
      var memory = memories.removeValue(forKey: client) ?? ClientMemory()
      let (parameters, loss) = timer.measure(.train) {
        trainer.train(client, from: global, base: base, plan: plan, round: round, memory: &memory)
      }
      // A client that keeps nothing costs nothing once its round is over.
      if !memory.isEmpty { memories[client] = memory }
      guard loss.isFinite, parameters.isFinite else {
        throw SimulationError.diverged(round: round, client: client)
      }
      trained.outcomes.append(
        ClientOutcome(loss: loss, personalised: try personalised(client, parameters, round)))
      try timer.measure(.pack) { try trained.append(parameters, of: client, plan, round: round) }
    }
    return trained
  }

  /// The client's own model on its own held-out rows.
  private func personalised(_ client: Int, _ parameters: AdapterParameters, _ round: Int) throws -> Tally? {
    let settings = experiment.configuration.evaluate
    let rows = experiment.shards[client].heldOutRows
    guard settings.personalised, evaluates(round), !rows.isEmpty else { return nil }
    return try timer.measure(.evaluate) {
      let chunks = experiment.train.evaluationChunks(of: rows, size: settings.batch)
      let model = experiment.family[client: client].model
      return try evaluator.tallies(chunks, of: experiment.train, model, parameters, base: base)
        .sum(experiment.task.tallyKind)
    }
  }

  func layouts(of cohort: [Int]) -> [AdapterLayout] {
    cohort.map { experiment.family[client: $0].layout }
  }

  func weights(of cohort: [Int]) throws -> [Double] {
    try aggregationWeights(
      Weighting(experiment.configuration.clients.weighting),
      exampleCounts: cohort.map { experiment.shards[$0].trainRows.count })
  }

  /// Puts the broadcasts in place; returns the bytes that this rank's clients downloaded.
  private func apply(
    _ messages: [ServerMessage], forClients clients: [Int], _ plans: RoundPlans
  ) -> Int {
    timer.measure(.apply) { for message in messages { message.apply(to: &global, base: &base) } }
    let baseByteCount = messages.reduce(0) { $0 + $1.baseByteCount }
    return clients.reduce(0) { bytes, client in
      bytes + plans[client: client].downloaded.count * experiment.configuration.server.wire.byteCount
        + baseByteCount
    }
  }

  /// The global model with the means of what stays on the clients, so that it can be evaluated. This is no
  /// part of the method, and its bytes are not counted.
  private func withReported(
    _ reported: FloatRanges, _ exchanged: Exchanged, _ world: borrowing Communicator
  ) throws -> AdapterParameters {
    guard !reported.isEmpty else { return global }
    var evaluated = global
    for parcel in parcels {
      let range = parcel.range(in: experiment.layout)
      var means = exchanged.served[parcel.layers]?.reportedMeans ?? global[reported.within(range)]
      try world.broadcast(&means, from: parcel.server)
      evaluated[reported.within(range)] = means
    }
    return evaluated
  }

  /// After a fold the factors start afresh, A with new numbers for every round and B zero; the head goes on.
  private func restart(afterRound round: Int) {
    let head = global.head
    global = .start(layout: experiment.layout, seed: experiment.configuration.seed, round: round)
    global.head = head
  }

  /// The metrics of a model on the test set, whose chunks are spread over all ranks; nil off the root.
  private func testMetrics(
    _ model: TaskModel, _ parameters: AdapterParameters, _ base: BaseWeights?,
    _ world: borrowing Communicator
  ) throws -> Metrics? {
    let own = testChunks.of(rank: world.rank, size: world.size)
    let tallies = Result {
      try timer.measure(.evaluate) {
        try evaluator.tallies(own, of: experiment.test, model, parameters, base: base)
      }
    }
    // A rank that cannot evaluate says so to all.
    let counted = try timer.measure(.wait) { try world.together { try tallies.get() } }
    return try world.metrics(counted, of: testChunks, experiment.task.tallyKind, to: Self.root)
  }

  /// `W*` applied exactly, under the aggregated head; nil where it is not wanted or the method itself is
  /// exact. The stacked factors go to all ranks for the evaluation alone; these bytes are not counted.
  private func oracle(
    _ exchanged: Exchanged, under head: ArraySlice<Float>, _ cohort: [Int], _ plan: RoundPlan,
    _ world: borrowing Communicator
  ) throws -> Metrics? {
    guard wantsOracle(plan) else { return nil }
    var oracle = AdapterParameters(layout: experiment.layout.stacking(layouts(of: cohort)))
    try timer.measure(.wait) { try world.barrier() }
    for parcel in parcels {
      for (index, slot) in parcel.slots(of: oracle.layout).enumerated() {
        let ideal = exchanged.served[parcel.layers]?.ideal[index]
        try oracle.broadcast(ideal?.a, slot.a, from: parcel.server, world)
        try oracle.broadcast(ideal?.b, slot.b, from: parcel.server, world)
      }
    }
    oracle.head = head
    return try testMetrics(
      experiment.task.model(experiment.pretrained, oracle.layout), oracle, nil, world)
  }

  /// Whether the round's oracle is evaluated by itself.
  func wantsOracle(_ plan: RoundPlan) -> Bool {
    experiment.configuration.evaluate.oracle && plan.base == .none
  }
}

extension AdapterParameters {
  /// Puts one tensor that `root` has in its place on every rank.
  fileprivate mutating func broadcast(
    _ matrix: Matrix<Float>?, _ slot: TensorSlot, from root: Int, _ world: borrowing Communicator
  ) throws(MPIError) {
    var elements = matrix?.elements ?? [Float](repeating: 0, count: slot.count)
    try world.broadcast(&elements, from: root)
    self[slot] = elements[...]
  }
}
