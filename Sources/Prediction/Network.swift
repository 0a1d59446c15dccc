internal import Foundation
internal import Names

/// A cluster's links, all of one kind and each as fast both ways.
public struct ClusterLink: Sendable, Equatable {
  /// One way, of a message of MPI; nil where only the rate is known.
  public let latencySeconds: Double?
  /// Of an MPI message's own bytes, without headers.
  public let bytesPerSecond: Double

  public init(latencySeconds: Double?, bytesPerSecond: Double) {
    self.latencySeconds = latencySeconds
    self.bytesPerSecond = bytesPerSecond
  }

  /// What is assumed of TCP where nothing is known.
  static let assumedLatencySeconds = 50e-6

  /// A message's line for the formulas.
  public var line: HockneyLine {
    HockneyLine(alpha: latencySeconds ?? Self.assumedLatencySeconds, beta: 1 / bytesPerSecond)
  }
}

/// One client's connection to the internet.
public struct ClientLink: Sendable, Equatable {
  public let upBytesPerSecond: Double
  public let downBytesPerSecond: Double
  /// One way.
  public let latencySeconds: Double

  public init(upBytesPerSecond: Double, downBytesPerSecond: Double, latencySeconds: Double) {
    self.upBytesPerSecond = upBytesPerSecond
    self.downBytesPerSecond = downBytesPerSecond
    self.latencySeconds = latencySeconds
  }
}

/// What a round can be predicted for by name.
public enum Network: Sendable, Equatable {
  /// Ranks on hosts, which talk by MPI.
  case cluster(ClusterLink)
  /// Clients at home, which talk to a server.
  case internet(ClientLink)

  /// Named networks. Rates on the wire are the standards'; latencies are assumptions of a usual magnitude, to be
  /// replaced by measurements where there are any.
  public static let named: [(name: String, network: Network)] = [
    // HDR 4x: 200 Gbit/s of data, packets of 4096 bytes with some 30 of headers. About 1 µs between MPI ranks.
    ("infiniband-hdr", .cluster(ClusterLink(latencySeconds: 1e-6, bytesPerSecond: 200e9 / 8 * 4096 / 4126))),
    // Latencies of MPI over TCP through one switch, interrupts included.
    ("10gbe", .cluster(ClusterLink(latencySeconds: 20e-6, bytesPerSecond: ethernet(bitsPerSecond: 10e9)))),
    ("1gbe", .cluster(ClusterLink(latencySeconds: 50e-6, bytesPerSecond: ethernet(bitsPerSecond: 1e9)))),
    // A fixed line as contracts state it, 40 ms there and back; what the client's own data get of it.
    ("wan-100mbps", .internet(client(upMbps: 100, downMbps: 100, latencyMilliseconds: 20))),
    // A phone in a usual cell: 10 Mbit/s up, 40 Mbit/s down, 50 ms there and back.
    ("lte", .internet(client(upMbps: 10, downMbps: 40, latencyMilliseconds: 25))),
  ]

  /// A connection by the units that contracts state.
  public static func client(upMbps: Double, downMbps: Double, latencyMilliseconds: Double) -> ClientLink {
    ClientLink(
      upBytesPerSecond: upMbps * 1e6 / 8, downBytesPerSecond: downMbps * 1e6 / 8,
      latencySeconds: latencyMilliseconds * 1e-3)
  }

  /// What TCP delivers over Ethernet: 1448 bytes in a frame that takes 1538 on the wire, with preamble, gap and
  /// time stamps.
  public static func ethernet(bitsPerSecond: Double) -> Double { bitsPerSecond / 8 * 1448 / 1538 }

  /// A named network, or Ethernet by its rate and a message's latency: `200mbit`, `2.5gbit,80us`.
  ///
  /// - Throws: with the nearest name, where it is neither.
  public init(_ text: String, origin: String) throws(PredictionError) {
    if let known = Self.named.first(where: { $0.name == text }) {
      self = known.network
    } else if let link = ClusterLink(text) {
      self = .cluster(link)
    } else {
      let names = Self.named.map(\.name)
      let nearest = nearestNames(to: text, among: names, limit: 1).first.map { "; did you mean \($0)?" }
      throw PredictionError(
        origin: origin,
        problem:
          "expected \(names.joined(separator: ", ")), a rate such as 200mbit or 2.5gbit,80us, or a file that is there; "
          + "found \(text)\(nearest ?? "")")
    }
  }
}

extension ClusterLink {
  /// `200mbit` or `2.5gbit,80us`: Ethernet of this rate, and a message's latency.
  init?(_ text: String) {
    let parts = text.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    let rate = Self.number(parts[0], units: ["kbit": 1e3, "mbit": 1e6, "gbit": 1e9])
    let latency = parts.count == 2 ? Self.number(parts[1], units: ["us": 1e-6, "ms": 1e-3]) : nil
    guard let rate, parts.count == 1 || latency != nil, parts.count <= 2 else { return nil }
    self.init(latencySeconds: latency, bytesPerSecond: Network.ethernet(bitsPerSecond: rate))
  }

  /// A number above zero before one of the units.
  private static func number(_ text: String, units: [String: Double]) -> Double? {
    guard let unit = units.first(where: { text.hasSuffix($0.key) }) else { return nil }
    guard let value = Double(text.dropLast(unit.key.count)), value > 0, value.isFinite else { return nil }
    return value * unit.value
  }
}
