internal import Aggregation
public import Telemetry

/// What can go wrong in a round although every input is right.
public enum SimulationError: Error, Sendable, CustomStringConvertible {
  /// Counted bytes are not those of the rule's definition.
  case bytes(round: Int, demanded: ByteCounts, sent: ByteCounts, received: ByteCounts)
  /// Training left the range of numbers.
  case diverged(round: Int, client: Int)
  /// A number does not fit the wire.
  case beyondWire(round: Int, sender: String, tensor: String, cause: String)
  /// The rule could not work with a layer's updates; its error counts clients by their place in the cohort.
  case aggregation(layer: String, cohort: [Int], cause: String)

  /// Data or a model that have nothing to continue.
  case noPrompts(path: String)

  public var description: String {
    switch self {
    case .noPrompts(let path): "\(path): expected data of task generation, with prompts; found classification"
    case .bytes(let round, let demanded, let sent, let received):
      "round \(round): expected bytes \(demanded), found \(sent) sent and \(received) received"
    case .diverged(let round, let client):
      "round \(round), client \(client): expected finite losses and parameters, found NaN or infinity; "
        + "lower training.learning-rate or set training.clip-norm"
    case .beyondWire(let round, let sender, let tensor, let cause):
      "server.wire: round \(round), \(sender), \(tensor): \(cause)"
    case .aggregation(let layer, let cohort, let cause):
      "layer \(layer), clients counted within the cohort \(cohort): \(cause)"
    }
  }
}
