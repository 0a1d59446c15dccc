internal import Adapters
public import MPI

/// Adapters that cannot be aggregated, or not by the method: a mistake in what the user gave.
public enum AdapterAggregationError: JobError, CustomStringConvertible {
  /// The method's result is not one pair of factors for each layer.
  case notOneAdapter(method: String, reason: String)
  case weightCount(adapters: Int, weights: Int)
  /// A layer's factors cannot be combined.
  case layer(String, cause: String)
  /// A number does not fit the wire.
  case beyondWire(item: String, cause: String)
  /// A file of an adapter cannot be read.
  case unreadable(cause: String)

  public var exitStatus: Int32 { 2 }
  /// Layers are dealt over the ranks: one rank may find what the others do not see.
  public var isCollective: Bool { false }

  public var description: String {
    switch self {
    case .notOneAdapter(let method, let reason):
      "--method: expected a method whose result is one adapter, found \(method): \(reason)"
    case .weightCount(let adapters, let weights):
      "--weights: expected \(adapters) numbers, one an adapter, found \(weights)"
    case .layer(let name, let cause): "layer \(name): \(cause)"
    case .beyondWire(let item, let cause): "--wire: \(item): \(cause)"
    case .unreadable(let cause): cause
    }
  }
}
