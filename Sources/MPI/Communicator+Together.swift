extension Communicator {
  /// Runs `body`, which does not communicate, on every rank; when it throws on some, every rank throws
  /// the same `CollectiveError`, which `withMPI` reports once. A collective operation.
  ///
  /// For what can go wrong on one rank only, such as reading a file on its host.
  public func together<Result>(_ body: () throws -> Result) throws -> Result {
    let outcome = Swift.Result { try body() }
    let failure: (any Error)? =
      switch outcome {
      case .success: nil
      case .failure(let error): error
      }
    try throwTogether(failure)
    return try outcome.get()
  }

  /// Throws on every rank when some rank brings a failure; the lowest one's is told.
  private func throwTogether(_ failure: (any Error)?) throws {
    let failureCount = try allreduce(Int64(failure == nil ? 0 : 1), .sum)
    guard failureCount > 0 else { return }
    let first = Int(try allreduce(Int64(failure == nil ? size : rank), .minimum))
    var text = failure.map { "\($0)" } ?? ""
    var hostName = MPIEnvironment.processorName
    var exitStatus = failure.map { JobFailure($0).exitStatus } ?? 0
    try broadcastString(&text, from: first)
    try broadcastString(&hostName, from: first)
    try broadcast(&exitStatus, from: first)
    throw CollectiveError(
      text: text, origin: failureCount == size ? nil : RankLocation(rank: first, hostName: hostName),
      exitStatus: exitStatus)
  }
}

/// A failure of some ranks that all ranks know of.
public struct CollectiveError: JobError, Equatable, CustomStringConvertible {
  /// The description of the error on the lowest rank that failed.
  public let text: String
  /// That rank; `nil` when all ranks failed.
  public let origin: RankLocation?
  public let exitStatus: Int32
  public var isCollective: Bool { true }

  /// `rank 2 on host node3: <error>`, or `<error>` alone when every rank failed.
  public var description: String {
    origin.map { "\($0): \(text)" } ?? text
  }
}
