/// An MPI library, as far as it is known which algorithms it takes by itself for large messages.
public enum MPILibrary: Sendable, Equatable {
  /// Its component `coll/tuned` decides by the number of ranks and the size alone.
  ///
  /// Source: `ompi_coll_tuned_bcast_intra_dec_fixed` and `…_gather_intra_dec_fixed` of Open MPI 4.1. Broadcasts of
  /// 1 MiB on 4, 6, 8, 12 and 16 ranks crossed the links as often as said here (Open MPI 4.1.4).
  case openMPI

  /// By the name and version that the library states; nil where its choices are not known. Open MPI 5 prefers
  /// `coll/han`, which decides by hosts.
  public init?(_ name: String) {
    guard name.contains("Open MPI v4.1.") else { return nil }
    self = .openMPI
  }

  /// The least broadcast whose algorithm is known: shorter ones take latencies, not links.
  static let leastBroadcast = 64.0 * 1024

  /// What it takes for a broadcast; nil where that is not known.
  public func broadcast(bytes: Double, ranks: Int) -> CollectiveAlgorithm? {
    guard bytes >= Self.leastBroadcast else { return nil }
    let mebibyte = 1024.0 * 1024
    return switch ranks {
    // A binary tree of three ranks is a linear broadcast.
    case ..<4: bytes >= mebibyte / 8 && bytes < mebibyte / 4 ? .wholeChainBroadcast : .linearBroadcast
    case ..<8: bytes < mebibyte ? .linearBroadcast : .wholeChainBroadcast
    case ..<16: .linearBroadcast
    case ..<32: bytes < mebibyte ? .binomialBroadcast : .scatterDoubling
    default: nil
    }
  }

  /// What it takes for a gather of large parts; unequal ones always go straight to the root.
  public func gather(ranks: Int, hasEqualParts: Bool) -> CollectiveAlgorithm {
    hasEqualParts && ranks >= 8 ? .binomialGather : .linearGather
  }
}
