internal import Randomness

/// Which rows a client trains on at each of its local steps.
///
/// Each epoch goes once through the client's rows in an order shuffled for that epoch; its last batch may be short
/// (batches do not wrap into the next epoch). Steps are counted over the whole run, so that the rows of a step are a
/// pure function of the seed, the client and the step: not of which rounds the client took part in.
public struct BatchSchedule: Sendable, Equatable {
  public let client: Int
  /// The client's training rows.
  public let rows: [Int]
  /// Rows of a full batch. A client with fewer rows has batches of all its rows.
  public let batchSize: Int
  public let seed: UInt64

  public init(client: Int, rows: [Int], batchSize: Int, seed: UInt64) {
    precondition(!rows.isEmpty, "client \(client) has no rows to train on")
    precondition(batchSize > 0, "the batch size \(batchSize) is not positive")
    self.client = client
    self.rows = rows
    self.batchSize = batchSize
    self.seed = seed
  }

  /// Steps that go once through the rows.
  public var stepsPerEpoch: Int { (rows.count + batchSize - 1) / batchSize }

  /// Steps of a round that trains for whole epochs.
  public func steps(epochs: Int) -> Int { stepsPerEpoch * epochs }

  /// The rows of each step of a round of `stepsPerRound` steps; rounds count from 1.
  public func batches(round: Int, stepsPerRound: Int) -> [[Int]] {
    precondition(round >= 1, "rounds count from 1, found \(round)")
    return batches(ofSteps: (round - 1) * stepsPerRound..<round * stepsPerRound)
  }

  /// The rows of each of the steps, which count from 0 over the whole run.
  public func batches(ofSteps steps: Range<Int>) -> [[Int]] {
    var epoch = -1
    var order: [Int] = []
    return steps.map { step in
      let (wanted, place) = step.quotientAndRemainder(dividingBy: stepsPerEpoch)
      if wanted != epoch {
        epoch = wanted
        order = self.order(ofEpoch: epoch)
      }
      let begin = place * batchSize
      return Array(order[begin..<min(begin + batchSize, order.count)])
    }
  }

  private func order(ofEpoch epoch: Int) -> [Int] {
    // A small client goes through its rows once a step, and a run may have far more than 2²⁰ steps.
    var stream = RandomStream(RandomKey(seed: seed, purpose: .batchOrder, client: client, longCount: epoch))
    var order = rows
    stream.shuffle(&order)
    return order
  }
}
