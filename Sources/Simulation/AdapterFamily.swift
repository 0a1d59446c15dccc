internal import Adapters
internal import Configuration
internal import Transformer

/// The adapters of a federation: the global one, of the largest adapter rank, and every client's own, which
/// is the leading part of the global one.
struct AdapterFamily: Sendable {
  struct Member: Sendable {
    let layout: AdapterLayout
    /// The frozen model with room for adapters of this layout.
    let model: TaskModel
  }

  /// By adapter rank.
  let members: [Int: Member]
  let largestAdapterRank: Int
  private let ranks: AdapterRanks

  /// `hasCores` puts a core between the factors of every layer.
  ///
  /// - Throws: when a target names no layer, or an adapter rank is above a layer's dimension.
  init(
    _ adapter: RunConfiguration.Adapter, _ pretrained: PretrainedModel, _ task: ModelTask, hasCores: Bool
  ) throws {
    ranks = adapter.rank
    largestAdapterRank = adapter.rank.largest
    let members = try adapter.rank.distinct.map { rank in
      let layout = AdapterLayout(
        layers: try pretrained.adaptedLayers(
          targets: adapter.targets, adapterRank: rank, scaling: adapter.peft(adapterRank: rank).scaling),
        head: task.head(of: pretrained), headMode: HeadMode(adapter.head),
        hasCores: hasCores)
      return (rank, Member(layout: layout, model: try task.model(pretrained, layout)))
    }
    self.members = Dictionary(uniqueKeysWithValues: members)
  }

  func adapterRank(ofClient client: Int) -> Int { ranks[client: client] }

  var global: Member { members[largestAdapterRank]! }

  subscript(client client: Int) -> Member { members[adapterRank(ofClient: client)]! }
}
