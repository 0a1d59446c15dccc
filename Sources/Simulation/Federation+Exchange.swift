internal import Adapters
internal import Aggregation
internal import Configuration
internal import LinearAlgebra
internal import MPI
internal import Telemetry

/// What a server of a parcel keeps of a round for reports, after its message has gone.
struct Served {
  /// One a layer of the parcel.
  let figures: [EstimateFigures]
  /// The means of what stays on the clients.
  let reportedMeans: [Float]
  /// One a layer of the parcel; empty where the oracle is not evaluated.
  let ideal: [IdealUpdate]
}

/// What all servers sent, and on each rank what it served, by the parcel's layers.
struct Exchanged {
  var messages: [ServerMessage] = []
  var served: [Range<Int>: Served] = [:]
}

/// From the clients' updates to the servers' messages: the communication of a round and the work between.
///
/// The modes of `server.mode` differ in who serves which parcel, and in what runs beside what. Each goes
/// through the same `estimate`, so that no mode changes a bit.
extension Federation {
  func exchange(
    _ trained: Trained, _ cohort: [Int], _ plans: RoundPlans, round: Int,
    counting bytes: inout CountedBytes, _ world: borrowing Communicator
  ) throws -> Exchanged {
    let task = ExchangeTask(
      global: global, cohort: cohort, layouts: layouts(of: cohort), weights: try weights(of: cohort),
      plans: plans, round: round)
    // Imbalance is not booked as transfer.
    try timer.measure(.wait) { try world.barrier() }
    switch experiment.configuration.server.mode {
    case .root: return try exchangeAtRoot(trained, task, &bytes, world)
    case .pipelined: return try exchangePipelined(trained, task, &bytes, world)
    case .sharded: return try exchangeSharded(trained, task, &bytes, world)
    }
  }

  /// Gather, estimate, broadcast.
  private func exchangeAtRoot(
    _ trained: Trained, _ task: ExchangeTask, _ bytes: inout CountedBytes, _ world: borrowing Communicator
  ) throws -> Exchanged {
    let (parcel, order) = (parcels[0], order(of: parcels[0], task, { $0.uploaded }))
    let sent = try counting(&bytes.gather, world) {
      try timer.measure(.gather) { try world.gather(trained.updates.updates[0], order, to: parcel.server) }
    }
    var message = message(of: parcel, task)
    let reported = try collectReported(trained, 0, task, world)
    let estimate = try estimate(parcel, sent, order, reported, task, &message)
    try timer.measure(.wait) { try world.barrier() }
    try counting(&bytes.broadcast, world) {
      try timer.measure(.broadcast) { try world.broadcast(&message, from: parcel.server) }
    }
    return Exchanged(messages: [message], served: try served(estimate, task))
  }

  /// Layer by layer: while one is estimated, the next travels up and the one before down. What other ranks wait
  /// for rank 0's estimates is in their `broadcast`.
  private func exchangePipelined(
    _ trained: Trained, _ task: ExchangeTask, _ bytes: inout CountedBytes, _ world: borrowing Communicator
  ) throws -> Exchanged {
    var exchanged = Exchanged()
    let orders = parcels.map { order(of: $0, task, { $0.uploaded }) }
    var pipeline = Pipeline(trained.updates, orders, parcels, rank: world.rank)
    try timer.measure(.gather) { try pipeline.startGather(0, world) }
    for (index, parcel) in parcels.enumerated() {
      if index + 1 < parcels.count {
        try timer.measure(.gather) { try pipeline.startGather(index + 1, world) }
      }
      let sent = try counting(&bytes.gather, world) {
        try timer.measure(.gather) { try pipeline.finishGather(index) }
      }
      var message = message(of: parcel, task)
      let reported = try collectReported(trained, index, task, world)
      let estimate = try pipeline.progressing(at: parcel.server, world) {
        try self.estimate(parcel, sent, orders[index], reported, task, &message)
      }
      try timer.measure(.broadcast) { try pipeline.startBroadcast(message, from: parcel.server, world) }
      let served = try pipeline.progressing(at: parcel.server, world) { try self.served(estimate, task) }
      exchanged.served.merge(served) { $1 }
      if index > 0 { exchanged.messages.append(try finishBroadcast(&pipeline, &bytes, world)) }
    }
    exchanged.messages.append(try finishBroadcast(&pipeline, &bytes, world))
    return exchanged
  }

  private func finishBroadcast(
    _ pipeline: inout Pipeline, _ bytes: inout CountedBytes, _ world: borrowing Communicator
  ) throws -> ServerMessage {
    try counting(&bytes.broadcast, world) { try timer.measure(.broadcast) { try pipeline.finishBroadcast() } }
  }

  /// Every rank serves a share of the layers: its parts of all updates come by one exchange of all with all,
  /// and its message goes to all.
  private func exchangeSharded(
    _ trained: Trained, _ task: ExchangeTask, _ bytes: inout CountedBytes, _ world: borrowing Communicator
  ) throws -> Exchanged {
    let parcel = parcels[world.rank]
    let order = order(of: parcel, task, { $0.uploaded })
    let sent = try counting(&bytes.gather, world) {
      try timer.measure(.gather) { try world.exchange(trained.updates, order) }
    }
    let reportedOrder = self.order(of: parcel, task, { $0.reported })
    let reported =
      task.plans.global.reported.isEmpty
      ? nil : (try world.exchange(trained.reported, reportedOrder), reportedOrder)
    var messages = parcels.map { message(of: $0, task) }
    let estimate = try estimate(parcel, sent, order, reported, task, &messages[world.rank])
    try timer.measure(.wait) { try world.barrier() }
    try counting(&bytes.broadcast, world) {
      try timer.measure(.broadcast) { try world.allgather(&messages) }
    }
    return Exchanged(messages: messages, served: try served(estimate, task))
  }
}

/// What the exchange of a round starts from; the same on every rank.
struct ExchangeTask {
  let global: AdapterParameters
  let cohort: [Int]
  let layouts: [AdapterLayout]
  let weights: [Double]
  let plans: RoundPlans
  let round: Int
}

extension Federation {
  func order(
    of parcel: Parcel, _ task: ExchangeTask, _ chosen: (RoundPlan) -> FloatRanges
  ) -> GatherOrder {
    GatherOrder(task.cohort, placement) { client in
      chosen(task.plans[client: client]).within(parcel.range(in: experiment.family[client: client].layout))
    }
  }

  /// The parcel's estimate at its server, where the updates are; its message is filled there.
  private func estimate(
    _ parcel: Parcel, _ sent: [Float]?, _ order: GatherOrder,
    _ reported: (floats: [Float], order: GatherOrder)?,
    _ task: ExchangeTask, _ message: inout ServerMessage
  ) throws -> Estimate? {
    guard let sent else { return nil }
    return try timer.measure(.estimate) {
      var updates = GatheredUpdates(
        parcel, cohort: task.cohort, weights: task.weights, layouts: task.layouts, common: task.global,
        sent: sent, order)
      if let reported { updates.place(reported.floats, reported.order) }
      let estimate = try Server(rule: rule).next(updates, after: task.global, round: task.round)
      do throws(WireRangeError) { try message.fill(estimate) } catch {
        throw SimulationError.beyondWire(
          round: task.round, sender: "the server", tensor: message.layerName(ofFloat: error.index),
          cause: "\(error)")
      }
      return message.received(estimate)
    }
  }

  private func message(of parcel: Parcel, _ task: ExchangeTask) -> ServerMessage {
    ServerMessage(
      parcel, task.plans.global, rule: rule, layout: experiment.layout, cohort: task.layouts,
      round: task.round, wire: experiment.configuration.server.wire)
  }

  /// What the clients do not send is collected too, for reports alone; its bytes are not counted. Nil where
  /// there is nothing, and off the parcel's server.
  private func collectReported(
    _ trained: Trained, _ index: Int, _ task: ExchangeTask, _ world: borrowing Communicator
  ) throws -> (floats: [Float], order: GatherOrder)? {
    guard !task.plans.global.reported.isEmpty else { return nil }
    let order = order(of: parcels[index], task, { $0.reported })
    return try world.gather(trained.reported.updates[index], order, to: parcels[index].server)
      .map { ($0, order) }
  }

  /// What is kept of an estimate when its updates are let go.
  private func served(_ estimate: Estimate?, _ task: ExchangeTask) throws -> [Range<Int>: Served] {
    guard let estimate else { return [:] }
    guard isEvaluated else {
      let means = estimate[task.plans.global.reported]
      return [estimate.parcel.layers: Served(figures: [], reportedMeans: means, ideal: [])]
    }
    return try timer.measure(.evaluate) {
      let wantsIdeal = evaluates(task.round) && wantsOracle(task.plans.global)
      return [
        estimate.parcel.layers: Served(
          figures: try Server.diagnose(estimate),
          reportedMeans: estimate[task.plans.global.reported],
          ideal: wantsIdeal ? try Server.ideal(estimate) : [])
      ]
    }
  }

  /// Adds what `body` moves to a count.
  private func counting<Result>(
    _ transfer: inout Transfer, _ world: borrowing Communicator, _ body: () throws -> Result
  ) throws -> Result {
    let (result, moved) = try world.counting(body)
    transfer += moved
    return result
  }
}
