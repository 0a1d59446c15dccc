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
    let cohort = sampler.cohort(round: round)
    let (updates, outcomes) = try train(cohort, from: global, round: round, world)
    bytes.packed = updates.uploadedByteCount

    let gathered = try gather(updates, of: cohort, counting: &bytes.gather, world)
    let estimate = try gathered.map { updates in
      try timer.measure(.estimate) { try Server(rule: rule).next(updates, after: global) }
    }
    let message = try broadcast(estimate?.global, counting: &bytes.broadcast, world)
    bytes.applied = apply(message, to: &global, forClients: updates.clientCount)
    evaluated = try withAverageOfLocalHeads(global, of: cohort, world)

    let evaluation = try evaluates(round) ? evaluate(evaluated, estimate?.updates, cohort, world) : nil
    let allOutcomes = try world.gather(
      outcomes, of: cohort, placement: placement, labelCount: experiment.test.labelCount, to: Self.root)
    return try report(round, cohort, estimate, allOutcomes, evaluation, bytes, world)
  }

  private func evaluates(_ round: Int) -> Bool {
    let configuration = experiment.configuration
    return round % configuration.evaluate.every == 0 || round == configuration.training.rounds
  }

  /// Trains every rank's clients. When a client diverges, all ranks learn of it and throw together.
  private func train(
    _ cohort: [Int], from global: AdapterParameters, round: Int, _ world: borrowing Communicator
  ) throws -> (updates: PackedUpdates, outcomes: [ClientOutcome]) {
    let trained = Result { try trainClients(of: cohort, from: global, round: round, on: world.rank) }
    return try timer.measure(.wait) { try world.together { try trained.get() } }
  }

  /// Trains the cohort's clients of this rank and packs what they send.
  private func trainClients(
    of cohort: [Int], from global: AdapterParameters, round: Int, on rank: Int
  ) throws -> (updates: PackedUpdates, outcomes: [ClientOutcome]) {
    let clients = placement.clients(of: cohort, onRank: rank)
    var updates = PackedUpdates(layout: experiment.layout, clientCapacity: clients.count)
    var outcomes: [ClientOutcome] = []
    for client in clients {
      let (parameters, loss) = timer.measure(.train) {
        trainer.train(client, from: global, round: round, memory: &memories[client, default: ClientMemory()])
      }
      guard loss.isFinite, parameters.values.allSatisfy(\.isFinite) else {
        throw SimulationError.diverged(round: round, client: client)
      }
      outcomes.append(ClientOutcome(loss: loss, personalised: personalised(client, parameters, round)))
      timer.measure(.pack) { updates.append(parameters) }
    }
    return (updates, outcomes)
  }

  /// The client's own model on its own held-out rows.
  private func personalised(_ client: Int, _ parameters: AdapterParameters, _ round: Int) -> Tally? {
    let settings = experiment.configuration.evaluate
    let rows = experiment.shards[client].heldOutRows
    guard settings.personalised, evaluates(round), !rows.isEmpty else { return nil }
    return timer.measure(.evaluate) {
      let chunks = experiment.train.evaluationChunks(of: rows, size: settings.batch)
      return evaluator.tallies(chunks, of: experiment.train, experiment.model, parameters)
        .sum(labelCount: experiment.train.labelCount)
    }
  }

  /// Waits for all ranks, so that imbalance is not booked as transfer, then gathers their updates.
  private func gather(
    _ updates: PackedUpdates, of cohort: [Int], counting transfer: inout Transfer,
    _ world: borrowing Communicator
  ) throws -> GatheredUpdates? {
    try timer.measure(.wait) { try world.barrier() }
    let before = world.transferred
    let floats = try timer.measure(.gather) {
      try world.gather(updates, clientCounts: placement.counts(of: cohort), to: Self.root)
    }
    transfer += world.transferred - before
    return try floats.map { floats in
      GatheredUpdates(
        layout: experiment.layout, cohort: cohort, weights: try weights(of: cohort), placement: placement,
        floats: floats)
    }
  }

  private func weights(of cohort: [Int]) throws -> [Double] {
    try aggregationWeights(
      Weighting(experiment.configuration.clients.weighting),
      exampleCounts: cohort.map { experiment.shards[$0].trainRows.count })
  }

  /// Waits for the root's estimate, then broadcasts what it sends back: the shared floats.
  private func broadcast(
    _ next: AdapterParameters?, counting transfer: inout Transfer, _ world: borrowing Communicator
  ) throws -> [Float] {
    var message = next.map { Array($0.shared) } ?? [Float](repeating: 0, count: experiment.layout.sharedCount)
    try timer.measure(.wait) { try world.barrier() }
    let before = world.transferred
    try timer.measure(.broadcast) { try world.broadcast(&message, from: Self.root) }
    transfer += world.transferred - before
    return message
  }

  /// Puts the broadcast's floats in place; returns the bytes that this rank's clients downloaded.
  private func apply(
    _ message: [Float], to global: inout AdapterParameters, forClients clientCount: Int
  ) -> Int {
    timer.measure(.apply) {
      global.shared = message[...]
      return clientCount * message.count * MemoryLayout<Float>.stride
    }
  }

  /// With local heads nobody sends one. So that the global model can be evaluated all the same, its copy
  /// gets the weighted mean of the cohort's; this is no part of the method, and its bytes are not counted.
  private func withAverageOfLocalHeads(
    _ global: AdapterParameters, of cohort: [Int], _ world: borrowing Communicator
  ) throws -> AdapterParameters {
    guard experiment.layout.headMode == .local else { return global }
    let own = placement.clients(of: cohort, onRank: world.rank).flatMap { memories[$0]?.head ?? [] }
    var head = Array(global.head)
    if let gathered = try world.gatherArrays(own, to: Self.root) {
      var byRank = gathered.map { $0.chunked(by: head.count)[...] }
      let heads = cohort.map { byRank[placement.rank(ofClient: $0)].removeFirst() }
      head = weightedMean(heads, try weights(of: cohort))
    }
    try world.broadcast(&head, from: Self.root)
    var evaluated = global
    evaluated.head = head[...]
    return evaluated
  }

  /// The global model, and the oracle where it is wanted, on the test set; values at the root only.
  private func evaluate(
    _ global: AdapterParameters, _ updates: GatheredUpdates?, _ cohort: [Int],
    _ world: borrowing Communicator
  ) throws -> (global: Metrics?, oracle: Metrics?) {
    let metrics = try testMetrics(experiment.model, global, world)
    guard experiment.configuration.evaluate.oracle else { return (metrics, nil) }
    return (metrics, try oracle(updates, cohort, head: global.head, world))
  }

  /// The metrics of a model on the test set, whose chunks are spread over all ranks; nil off the root.
  private func testMetrics(
    _ model: any ClassificationModel, _ parameters: AdapterParameters, _ world: borrowing Communicator
  ) throws -> Metrics? {
    let own = testChunks.of(rank: world.rank, size: world.size)
    let tallies = timer.measure(.evaluate) {
      evaluator.tallies(own, of: experiment.test, model, parameters)
    }
    try timer.measure(.wait) { try world.barrier() }
    return try world.metrics(tallies, of: testChunks, labelCount: experiment.test.labelCount, to: Self.root)
  }

  /// `W*` applied exactly, under the aggregated head. The stacked factors go to all ranks for the
  /// evaluation alone; these bytes belong to no method and are not counted.
  private func oracle(
    _ updates: GatheredUpdates?, _ cohort: [Int], head: ArraySlice<Float>, _ world: borrowing Communicator
  ) throws -> Metrics? {
    let layout = experiment.layout.stacked(times: cohort.count)
    var oracle = try timer.measure(.evaluate) {
      try updates.map { try Server.oracle($0) } ?? AdapterParameters(layout: layout)
    }
    try timer.measure(.wait) { try world.barrier() }
    try world.broadcast(&oracle.values, from: Self.root)
    oracle.head = head
    return try testMetrics(experiment.pretrained.classifier(layout: layout), oracle, world)
  }
}
