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
  /// `global` is what the next round starts from, `evaluated` becomes the model of this round's evaluation.
  /// Returns the reports at the root, nil elsewhere.
  func runRound(
    _ round: Int, _ global: inout AdapterParameters, evaluated: inout AdapterParameters,
    _ world: borrowing Communicator
  ) throws -> (round: RoundReport, layers: [LayerReport])? {
    timer.reset()
    var bytes = CountedBytes()
    let cohort = placeCohort(ofRound: round)
    let plans = RoundPlans(rule.wirePlan(round: round), experiment.family)
    let plan = plans.global
    let trained = try train(cohort, from: global, plans, round: round, world)
    bytes.packed = trained.updates.byteCount

    let gathered = try gather(trained, from: global, of: cohort, plans, counting: &bytes.gather, world)
    let estimate = try gathered.map { updates in
      try timer.measure(.estimate) { try Server(rule: rule).next(updates, after: global, round: round) }
    }
    // The oracle is the ideal update over the base weights that the clients trained on.
    let oracle = try evaluates(round) ? oracle(estimate, cohort, plan, world) : nil
    let message = try broadcast(estimate, plan, cohort, round: round, counting: &bytes.broadcast, world)
    bytes.applied = apply(
      message, to: &global, forClients: placement.clients(of: cohort, onRank: world.rank), plans)
    if plan.base == .fold { restart(&global, afterRound: round) }
    evaluated = try withReported(plan.reported, of: estimate?.global, over: global, world)

    let metrics = try evaluates(round) ? testMetrics(experiment.model, evaluated, base, world) : nil
    let allOutcomes = try world.gather(
      trained.outcomes, of: cohort, placement: placement,
      labelCount: evaluates(round) ? experiment.test.labelCount : 0, to: Self.root)
    // A method that applies the ideal update exactly is its own oracle.
    let isExact = plan.base != .none && experiment.configuration.evaluate.oracle
    return try report(
      round, cohort, estimate, allOutcomes, (metrics, isExact ? metrics : oracle), bytes, world)
  }

  func evaluates(_ round: Int) -> Bool {
    let configuration = experiment.configuration
    return round % configuration.evaluate.every == 0 || round == configuration.training.rounds
  }

  /// What one rank's clients made of a round.
  struct Trained {
    /// What they send.
    var updates: PackedUpdates
    /// What stays with them and is collected for reports alone.
    var reported: PackedUpdates
    var outcomes: [ClientOutcome] = []
  }

  /// Trains every rank's clients. When a client diverges, all ranks learn of it and throw together.
  private func train(
    _ cohort: [Int], from global: AdapterParameters, _ plans: RoundPlans, round: Int,
    _ world: borrowing Communicator
  ) throws -> Trained {
    let clients = placement.clients(of: cohort, onRank: world.rank)
    let trained = Result { try train(clients, from: global, plans, round: round) }
    return try timer.measure(.wait) { try world.together { try trained.get() } }
  }

  /// Trains this rank's clients of the cohort and packs what they send.
  private func train(
    _ clients: [Int], from global: AdapterParameters, _ plans: RoundPlans, round: Int
  ) throws -> Trained {
    var trained = Trained(
      updates: PackedUpdates(capacity: clients.reduce(0) { $0 + plans[client: $1].uploaded.count }),
      reported: PackedUpdates(capacity: clients.reduce(0) { $0 + plans[client: $1].reported.count }))
    for client in clients {
      let plan = plans[client: client]
      var memory = memories.removeValue(forKey: client) ?? ClientMemory()
      let (parameters, loss) = timer.measure(.train) {
        trainer.train(client, from: global, base: base, plan: plan, round: round, memory: &memory)
      }
      // A client that keeps nothing costs nothing once its round is over.
      if !memory.isEmpty { memories[client] = memory }
      guard loss.isFinite, parameters.values.allSatisfy(\.isFinite) else {
        throw SimulationError.diverged(round: round, client: client)
      }
      trained.outcomes.append(
        ClientOutcome(loss: loss, personalised: personalised(client, parameters, round)))
      timer.measure(.pack) { trained.updates.append(parameters, plan.uploaded) }
      trained.reported.append(parameters, plan.reported)
    }
    return trained
  }

  /// The client's own model on its own held-out rows.
  private func personalised(_ client: Int, _ parameters: AdapterParameters, _ round: Int) -> Tally? {
    let settings = experiment.configuration.evaluate
    let rows = experiment.shards[client].heldOutRows
    guard settings.personalised, evaluates(round), !rows.isEmpty else { return nil }
    return timer.measure(.evaluate) {
      let chunks = experiment.train.evaluationChunks(of: rows, size: settings.batch)
      let model = experiment.family[client: client].model
      return evaluator.tallies(chunks, of: experiment.train, model, parameters, base: base)
        .sum(labelCount: experiment.train.labelCount)
    }
  }

  /// Waits for all ranks, so that imbalance is not booked as transfer, then gathers their updates. What
  /// clients do not send is collected too, for reports alone; its bytes are not counted.
  private func gather(
    _ trained: Trained, from global: AdapterParameters, of cohort: [Int], _ plans: RoundPlans,
    counting transfer: inout Transfer, _ world: borrowing Communicator
  ) throws -> GatheredUpdates? {
    let sentBy = GatherOrder(cohort, placement) { plans[client: $0].uploaded }
    let reportedBy = GatherOrder(cohort, placement) { plans[client: $0].reported }
    try timer.measure(.wait) { try world.barrier() }
    let before = world.transferred
    let sent = try timer.measure(.gather) {
      try world.gather(trained.updates, sentBy, to: Self.root)
    }
    transfer += world.transferred - before
    let reported = try world.gather(trained.reported, reportedBy, to: Self.root)
    guard let sent, let reported else { return nil }
    var gathered = GatheredUpdates(
      cohort: cohort, weights: try weights(of: cohort), layouts: layouts(of: cohort), common: global)
    gathered.place(sent, sentBy)
    gathered.place(reported, reportedBy)
    return gathered
  }

  func layouts(of cohort: [Int]) -> [AdapterLayout] {
    cohort.map { experiment.family[client: $0].layout }
  }

  private func weights(of cohort: [Int]) throws -> [Double] {
    try aggregationWeights(
      Weighting(experiment.configuration.clients.weighting),
      exampleCounts: cohort.map { experiment.shards[$0].trainRows.count })
  }

  /// Waits for the root's estimate, then broadcasts what it sends back.
  private func broadcast(
    _ estimate: Estimate?, _ plan: RoundPlan, _ cohort: [Int], round: Int, counting transfer: inout Transfer,
    _ world: borrowing Communicator
  ) throws -> ServerMessage {
    var message = ServerMessage(
      plan, rule: rule, layout: experiment.layout, cohort: layouts(of: cohort), round: round)
    if let estimate { timer.measure(.estimate) { message.fill(estimate) } }
    try timer.measure(.wait) { try world.barrier() }
    let before = world.transferred
    try timer.measure(.broadcast) { try world.broadcast(&message.floats, from: Self.root) }
    transfer += world.transferred - before
    return message
  }

  /// Puts the broadcast in place; returns the bytes that this rank's clients downloaded.
  private func apply(
    _ message: ServerMessage, to global: inout AdapterParameters, forClients clients: [Int],
    _ plans: RoundPlans
  ) -> Int {
    timer.measure(.apply) { message.apply(to: &global, base: &base) }
    return clients.reduce(0) { bytes, client in
      bytes + plans[client: client].downloaded.count * MemoryLayout<Float>.stride + message.baseByteCount
    }
  }

  /// The global model with the means of what stays on the clients, so that it can be evaluated. This is no
  /// part of the method, and its bytes are not counted.
  private func withReported(
    _ reported: FloatRanges, of estimate: AdapterParameters?, over global: AdapterParameters,
    _ world: borrowing Communicator
  ) throws -> AdapterParameters {
    guard !reported.isEmpty else { return global }
    var means = (estimate ?? global)[reported]
    try world.broadcast(&means, from: Self.root)
    var evaluated = global
    evaluated[reported] = means
    return evaluated
  }

  /// After a fold the factors start afresh, A with new numbers for every round and B zero; the head goes on.
  private func restart(_ global: inout AdapterParameters, afterRound round: Int) {
    let head = global.head
    global = .start(layout: experiment.layout, seed: experiment.configuration.seed, round: round)
    global.head = head
  }

  /// The metrics of a model on the test set, whose chunks are spread over all ranks; nil off the root.
  private func testMetrics(
    _ model: any ClassificationModel, _ parameters: AdapterParameters, _ base: BaseWeights?,
    _ world: borrowing Communicator
  ) throws -> Metrics? {
    let own = testChunks.of(rank: world.rank, size: world.size)
    let tallies = timer.measure(.evaluate) {
      evaluator.tallies(own, of: experiment.test, model, parameters, base: base)
    }
    try timer.measure(.wait) { try world.barrier() }
    return try world.metrics(tallies, of: testChunks, labelCount: experiment.test.labelCount, to: Self.root)
  }

  /// `W*` applied exactly, under the aggregated head; nil where it is not wanted or the method itself is
  /// exact. The stacked factors go to all ranks for the evaluation alone; these bytes are not counted.
  private func oracle(
    _ estimate: Estimate?, _ cohort: [Int], _ plan: RoundPlan, _ world: borrowing Communicator
  ) throws -> Metrics? {
    guard experiment.configuration.evaluate.oracle, plan.base == .none else { return nil }
    let layout = experiment.layout.stacking(layouts(of: cohort))
    var oracle = try timer.measure(.evaluate) {
      try estimate.map { try Server.oracle($0) } ?? AdapterParameters(layout: layout)
    }
    try timer.measure(.wait) { try world.barrier() }
    try world.broadcast(&oracle.values, from: Self.root)
    return try testMetrics(experiment.pretrained.classifier(layout: layout), oracle, nil, world)
  }
}
