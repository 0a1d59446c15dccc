internal import Grading
internal import Telemetry

/// What is counted of answers.
enum AnswerCount: Int, CaseIterable {
  case rows
  /// Sum of the cross-entropies of the data's own answers, and how many tokens these have.
  case loss, tokens
  /// Generated answers that are right.
  case exact
  /// Rows whose reference has an expression, and those of them where that of the generated answer has its value.
  case withExpression, expressionRight
}

extension Tally {
  subscript(count: AnswerCount) -> Double { numbers[count.rawValue] }

  /// Of one answer: the loss of the data's own, and the grade of the generated one.
  init(answerLoss loss: (sum: Double, tokens: Int), _ grade: Grade) {
    var counts = [Double](repeating: 0, count: AnswerCount.allCases.count)
    counts[AnswerCount.rows.rawValue] = 1
    counts[AnswerCount.loss.rawValue] = loss.sum
    counts[AnswerCount.tokens.rawValue] = Double(loss.tokens)
    counts[AnswerCount.exact.rawValue] = grade.isExact ? 1 : 0
    counts[AnswerCount.withExpression.rawValue] = grade.isExpressionRight == nil ? 0 : 1
    counts[AnswerCount.expressionRight.rawValue] = grade.isExpressionRight == true ? 1 : 0
    self.init(.answers, numbers: counts)
  }

  /// The share of right answers, the mean loss of an answer's token, and as `expression` the share of right
  /// expressions where references have one.
  var answerMetrics: Metrics {
    var metrics = Metrics(accuracy: self[.exact] / self[.rows], loss: self[.loss] / self[.tokens])
    if self[.withExpression] > 0 {
      metrics.extras["expression"] = self[.expressionRight] / self[.withExpression]
    }
    return metrics
  }
}
