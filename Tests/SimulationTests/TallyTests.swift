import Grading
import LinearAlgebra
import Telemetry
import Testing

@testable import Simulation

@Suite struct TallyTests {
  private func tally(_ logits: [Float], _ labels: [Int32], labelCount: Int) -> Tally {
    var tally = Tally(.labels(labelCount))
    Matrix(rows: labels.count, columns: labelCount, elements: logits).withView {
      tally.count($0, labels: labels)
    }
    return tally
  }

  @Test func metricsOfTwoLabels() {
    let tally = tally([0, 1, 0, 1, 1, 0, 1, 0, 0, 1], [1, 1, 0, 1, 0], labelCount: 2)
    #expect(tally.numbers.dropFirst() == [1, 1, 1, 2])
    let metrics = tally.metrics
    #expect(metrics.accuracy == 0.6)
    #expect(abs(metrics.extras["f1"]! - 4 / 6.0) < 1e-12)
    #expect(abs(metrics.extras["matthews"]! - (2 - 1) / 6.0) < 1e-12)
    // ln(1 + e) − 1 for the three right rows, ln(1 + e) for the two wrong ones.
    #expect(abs(metrics.loss - (5 * 1.3132616875 - 3) / 5) < 1e-6)
  }

  @Test func equalLogitsPredictTheLowerLabel() {
    #expect(tally([2, 2, 2], [1], labelCount: 3).numbers[1 + 3] == 1)
  }

  @Test func talliesAddUpAndTravel() {
    let first = tally([0, 1, 3, 0], [1, 1], labelCount: 2)
    let second = tally([0, 2], [0], labelCount: 2)
    let both = tally([0, 1, 3, 0, 0, 2], [1, 1, 0], labelCount: 2)
    #expect([first, second].sum(.labels(2)) == both)
    #expect(Tally(.labels(2), numbers: first.numbers) == first)
    #expect(first.numbers.count == Tally.Kind.labels(2).numberCount)
  }

  @Test func personalisedMetricsWeighClientsAlike() throws {
    let good = ClientOutcome(loss: 1, personalised: tally([0, 1], [1], labelCount: 2))
    let bad = ClientOutcome(loss: 3, personalised: tally([1, 0, 1, 0, 1, 0], [1, 1, 1], labelCount: 2))
    let none = ClientOutcome(loss: 3, personalised: nil)
    #expect([good, bad, none].personalised()?.accuracy == 0.5)
    #expect([none].personalised() == nil)
    #expect([good, bad].loss([0.25, 0.75]) == 2.5)
    #expect(ClientOutcome(wire: bad.wire(.labels(2))[...], .labels(2)) == bad)
    #expect(ClientOutcome(wire: none.wire(.labels(2))[...], .labels(2)) == none)
  }

  @Test func metricsOfAnswers() {
    let right = Tally(answerLoss: (3, 2), Grade(isExact: true, isExpressionRight: true))
    let wrong = Tally(answerLoss: (1, 6), Grade(isExact: false, isExpressionRight: true))
    let plain = Tally(answerLoss: (0, 2), Grade(isExact: false))
    let metrics = [right, wrong, plain, plain].sum(.answers).metrics
    #expect(metrics.accuracy == 0.25)
    #expect(metrics.loss == 4 / 12.0)
    #expect(metrics.extras == ["expression": 1])
    #expect(plain.metrics.extras.isEmpty)
    #expect([right, wrong].sum(.answers).rowCount == 2)
    #expect(ClientOutcome(wire: [0.5] + right.numbers, .answers).personalised == right)
  }

  @Test func whatWasNotEvaluatedTakesNoRoom() {
    let none = ClientOutcome(loss: 3, personalised: nil)
    #expect(none.wire(.nothing) == [3])
    #expect(ClientOutcome(wire: [3], .nothing) == none)
  }
}
