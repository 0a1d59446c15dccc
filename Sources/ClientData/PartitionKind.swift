/// How the rows of a split are dealt to clients.
public indirect enum PartitionKind: Sendable, Equatable {
  /// At random, in equal numbers (they differ by at most one).
  case iid
  /// For each label (for generation: group), shares of the clients drawn from Dirichlet(`alpha`): the smaller,
  /// the more skewed. Source: Hsu et al., arXiv 1909.06335.
  case dirichlet(alpha: Double)
  /// Rows in order of label (for generation: group), cut into equal shards, `shardsPerClient` of them dealt to
  /// each client at random. Source: McMahan et al., arXiv 1602.05629.
  case byLabel(shardsPerClient: Int)
  /// By the group column (groups without a row do not count): clients are dealt to groups as evenly as possible
  /// in order of id, and a group that has several clients is split over them by the kind `within`. With fewer
  /// clients than groups, group `g` belongs to client `g mod count`.
  case natural(within: PartitionKind = .iid)

  /// Whether rows are dealt by what `DatasetSplit.classes` says of them.
  var needsClasses: Bool {
    switch self {
    case .iid: false
    case .dirichlet, .byLabel: true
    case .natural(let within): within.needsClasses
    }
  }

  /// The least `alpha`: there a label's rows all go to one client, and far below its shares are not numbers.
  static let leastConcentration = 1e-6

  /// Checks the kind's own numbers.
  func check(withinNatural: Bool = false) throws(ClientDataError) {
    switch self {
    case .iid: break
    case .dirichlet(let alpha):
      guard alpha >= Self.leastConcentration, alpha.isFinite else {
        throw ClientDataError(partition: .invalidConcentration(found: alpha), withinNatural: withinNatural)
      }
    case .byLabel(let shards):
      guard shards >= 1 else {
        throw ClientDataError(partition: .invalidShardCount(found: shards), withinNatural: withinNatural)
      }
    case .natural(let within):
      if case .natural = within { throw ClientDataError(partition: .nestedNatural, withinNatural: true) }
      try within.check(withinNatural: true)
    }
  }
}
