internal import Foundation

/// A federation whose clients talk to one server over the internet, all at once: each by its own connection, all
/// by the server's. The round waits for its slowest client.
///
/// Connections are open and warm, nothing is lost on the way, and neither a handshake nor TCP's slow start is
/// counted; each message takes its latency once.
public struct InternetFederation: Sendable, Equatable {
  /// Connections that occur, each as often as any other; never empty.
  public let clients: [ClientLink]
  /// Of the server's own link, each way.
  public let serverBytesPerSecond: Double

  public init(clients: [ClientLink], serverBytesPerSecond: Double) {
    precondition(!clients.isEmpty && serverBytesPerSecond > 0, "a federation without clients or server")
    self.clients = clients
    self.serverBytesPerSecond = serverBytesPerSecond
  }

  /// Seconds until the last of a cohort's uploads has arrived: that of its slowest client, or what the server's
  /// link needs for all, whichever is more. `largestBytes` is the largest client's, `totalBytes` all clients'.
  public func uploadSeconds(largestBytes: Double, totalBytes: Double, cohort: Int) -> Double {
    seconds(clients.map { $0.latencySeconds + largestBytes / $0.upBytesPerSecond }, totalBytes, cohort)
  }

  /// The same for what the server sends to every client.
  public func downloadSeconds(largestBytes: Double, totalBytes: Double, cohort: Int) -> Double {
    seconds(clients.map { $0.latencySeconds + largestBytes / $0.downBytesPerSecond }, totalBytes, cohort)
  }

  private func seconds(_ clientSeconds: [Double], _ totalBytes: Double, _ cohort: Int) -> Double {
    let nearest = clients.map(\.latencySeconds).min()!
    return max(
      Self.expectedLargest(of: clientSeconds, drawn: cohort), nearest + totalBytes / serverBytesPerSecond)
  }

  /// The mean of the largest of `drawn` values, over all equally likely draws: without repetition where there
  /// are as many values, with it from fewer.
  static func expectedLargest(of values: [Double], drawn: Int) -> Double {
    let sorted = values.sorted()
    var (below, expectation) = (0.0, 0.0)
    for (index, value) in sorted.enumerated() {
      let upToThis = shareOfDraws(amongFirst: index + 1, of: sorted.count, drawn: drawn)
      expectation += (upToThis - below) * value
      below = upToThis
    }
    return expectation
  }

  /// The share of draws of `drawn` of `count` values that hold none beyond the first `first`.
  private static func shareOfDraws(amongFirst first: Int, of count: Int, drawn: Int) -> Double {
    guard drawn <= count else { return pow(Double(first) / Double(count), Double(drawn)) }
    guard drawn <= first else { return 0 }
    return (0..<drawn).reduce(1) { $0 * Double(first - $1) / Double(count - $1) }
  }
}
