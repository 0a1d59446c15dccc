internal import LinearAlgebra
internal import Telemetry
internal import Transformer

/// What a model got right and wrong on some rows; tallies of parts add up to that of the whole.
struct Tally: Sendable, Equatable {
  /// What is counted.
  enum Kind: Sendable, Equatable {
    case nothing
    /// Labels that were named, of so many.
    case labels(Int)
    /// Answers that were given.
    case answers

    /// Numbers that carry a tally between ranks.
    var numberCount: Int {
      switch self {
      case .nothing: 0
      case .labels(let count): 1 + count * count
      case .answers: AnswerCount.allCases.count
      }
    }
  }

  let kind: Kind
  /// Of labels: the sum of the rows' cross-entropies, then rows by true label (row) and predicted label (column).
  /// Of answers: one number for each `AnswerCount`.
  private(set) var numbers: [Double]

  init(_ kind: Kind) {
    self.kind = kind
    numbers = [Double](repeating: 0, count: kind.numberCount)
  }

  init(_ kind: Kind, numbers: some Collection<Double>) {
    self.init(kind)
    precondition(numbers.count == kind.numberCount, "\(numbers.count) numbers for \(kind)")
    self.numbers = Array(numbers)
  }

  static func += (sum: inout Tally, part: Tally) {
    precondition(sum.kind == part.kind, "a tally of \(part.kind) added to one of \(sum.kind)")
    for index in sum.numbers.indices { sum.numbers[index] += part.numbers[index] }
  }

  var rowCount: Double {
    switch kind {
    case .nothing: 0
    case .labels: numbers.dropFirst().reduce(0, +)
    case .answers: self[.rows]
    }
  }

  var metrics: Metrics {
    switch kind {
    case .nothing: Metrics(accuracy: .nan, loss: .nan)
    case .labels(let count): labelMetrics(count)
    case .answers: answerMetrics
    }
  }
}

extension Tally {
  /// Counts a batch: `logits` has a row of numbers, one for each label. Ties go to the lower label.
  mutating func count(_ logits: MatrixView<Float>, labels: some Collection<Int32>) {
    for (row, label) in labels.enumerated() {
      let values = UnsafeBufferPointer(start: logits.base + row * logits.stride, count: logits.columns)
      numbers[0] += crossEntropy(values, label: label)
      let predicted = values.indices.max { values[$0] < values[$1] || (values[$0] == values[$1] && $0 > $1) }!
      numbers[1 + Int(label) * logits.columns + predicted] += 1
    }
  }

  /// Accuracy and mean loss; with two labels also Matthews' correlation and F1 of label 1, as GLUE reports.
  private func labelMetrics(_ labelCount: Int) -> Metrics {
    let confusion = Array(numbers.dropFirst())
    let right = (0..<labelCount).reduce(0) { $0 + confusion[$1 * (labelCount + 1)] }
    var metrics = Metrics(accuracy: right / rowCount, loss: numbers[0] / rowCount)
    guard labelCount == 2 else { return metrics }
    let (tn, fp, fn, tp) = (confusion[0], confusion[1], confusion[2], confusion[3])
    let spread = ((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)).squareRoot()
    metrics.extras["matthews"] = spread == 0 ? 0 : (tp * tn - fp * fn) / spread
    metrics.extras["f1"] = tp == 0 ? 0 : 2 * tp / (2 * tp + fp + fn)
    return metrics
  }
}
