internal import Adapters
internal import Aggregation
internal import ClientData
internal import Configuration
internal import Transformer

// The configuration's words in the types of the modules that act on them. Each switch names every case,
// so that a word added to the configuration does not compile until something acts on it.

extension Precision {
  init(_ precision: RunConfiguration.Precision) {
    switch precision {
    case .f32: self = .float32
    case .bf16: self = .bfloat16
    }
  }
}

extension PartitionKind {
  init(_ partition: RunConfiguration.Partition) {
    switch partition {
    case .iid: self = .iid
    case .dirichlet(let alpha): self = .dirichlet(alpha: alpha)
    case .byLabel(let shards): self = .byLabel(shardsPerClient: shards)
    case .natural(let within): self = .natural(within: PartitionKind(within))
    }
  }
}

extension HeadMode {
  init(_ head: RunConfiguration.Head) {
    switch head {
    case .shared: self = .shared
    case .frozen: self = .frozen
    case .local: self = .local
    }
  }
}

extension Weighting {
  init(_ weighting: RunConfiguration.Weighting) {
    switch weighting {
    case .examples: self = .examples
    case .uniform: self = .uniform
    }
  }
}

extension Placement.Kind {
  init(_ placement: RunConfiguration.Placement) {
    switch placement {
    case .block: self = .block
    case .cyclic: self = .cyclic
    case .balanced: self = .balanced
    }
  }
}

extension Optimizer {
  init(_ training: RunConfiguration.Training) {
    let decay = Float(training.weightDecay)
    switch training.optimizer {
    case .adamW(let beta1, let beta2, let epsilon):
      self = .adamW(
        beta1: Float(beta1), beta2: Float(beta2), epsilon: Float(epsilon), weightDecay: decay)
    case .sgd(let momentum): self = .sgd(momentum: Float(momentum), weightDecay: decay)
    }
  }
}

extension LearningRateSchedule.Shape {
  init(_ schedule: RunConfiguration.Schedule) {
    switch schedule {
    case .constant: self = .constant
    case .linear: self = .linear
    }
  }
}
