internal import LinearAlgebra
internal import Telemetry
internal import Transformer

/// What a model got right and wrong on some rows; tallies of parts add up to that of the whole.
struct Tally: Sendable, Equatable {
  let labelCount: Int
  /// Sum of the rows' cross-entropies.
  var loss = 0.0
  /// Rows by true label (row) and predicted label (column), `labelCount²` counts.
  var confusion: [Double]

  init(labelCount: Int) {
    self.labelCount = labelCount
    confusion = [Double](repeating: 0, count: labelCount * labelCount)
  }

  /// Counts a batch: `logits` has a row of `labelCount` numbers for each label. Ties go to the lower label.
  mutating func count(_ logits: MatrixView<Float>, labels: some Collection<Int32>) {
    for (row, label) in labels.enumerated() {
      let values = UnsafeBufferPointer(start: logits.base + row * logits.stride, count: logits.columns)
      loss += crossEntropy(values, label: label)
      let predicted = values.indices.max { values[$0] < values[$1] || (values[$0] == values[$1] && $0 > $1) }!
      confusion[Int(label) * labelCount + predicted] += 1
    }
  }

  static func += (sum: inout Tally, part: Tally) {
    sum.loss += part.loss
    for index in sum.confusion.indices { sum.confusion[index] += part.confusion[index] }
  }

  var rowCount: Double { confusion.reduce(0, +) }
}

extension Tally {
  /// Numbers that carry a tally between ranks.
  static func wireCount(labelCount: Int) -> Int { 1 + labelCount * labelCount }
  var wire: [Double] { [loss] + confusion }

  init(labelCount: Int, wire: some Collection<Double>) {
    self.init(labelCount: labelCount)
    loss = wire.first!
    confusion = Array(wire.dropFirst())
  }
}

extension Tally {
  /// Accuracy and mean loss; with two labels also Matthews' correlation and F1 of label 1, as GLUE reports.
  var metrics: Metrics {
    let right = (0..<labelCount).reduce(0) { $0 + confusion[$1 * (labelCount + 1)] }
    var metrics = Metrics(accuracy: right / rowCount, loss: loss / rowCount)
    guard labelCount == 2 else { return metrics }
    let (tn, fp, fn, tp) = (confusion[0], confusion[1], confusion[2], confusion[3])
    let spread = ((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)).squareRoot()
    metrics.extras["matthews"] = spread == 0 ? 0 : (tp * tn - fp * fn) / spread
    metrics.extras["f1"] = tp == 0 ? 0 : 2 * tp / (2 * tp + fp + fn)
    return metrics
  }
}
