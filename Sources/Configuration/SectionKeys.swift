// The keys of every section, in the order in which they are written out.

enum RootKey: String, SectionKey {
  case seed, model, adapter, data, clients, training, method, evaluate, server, checkpoint
}

enum ModelKey: String, SectionKey {
  case path, task, precision
}

enum AdapterKey: String, SectionKey {
  case rank, alpha, targets, dropout, head, rslora
}

enum DataKey: String, SectionKey {
  case path
  case maximumLength = "maximum-length"
  case heldOut = "held-out"
  case partition
}

enum PartitionKey: String, SectionKey {
  case kind, alpha, shards, within
}

enum PartitionKind: String, CaseIterable {
  case iid
  case dirichlet
  case byLabel = "by-label"
  case natural
}

enum ClientsKey: String, SectionKey {
  case count, participation, weighting, placement
}

enum TrainingKey: String, SectionKey {
  case rounds, steps, epochs, batch, optimizer
  case learningRate = "learning-rate"
  case weightDecay = "weight-decay"
  case betas, epsilon, momentum, schedule
  case warmUp = "warm-up"
  case clipNorm = "clip-norm"
  case optimizerState = "optimizer-state"
}

enum OptimizerName: String, CaseIterable {
  case adamw, sgd
}

enum MethodKey: String, SectionKey {
  case name
}

enum EvaluateKey: String, SectionKey {
  case every, personalised, oracle, batch, limit
  case maximumNewTokens = "maximum-new-tokens"
}

enum ServerKey: String, SectionKey {
  case mode, wire
}

enum CheckpointKey: String, SectionKey {
  case every
}
