import Prediction
import Testing

@Suite struct FitTests {
  private func points(_ line: HockneyLine, _ sizes: [Int], noise: [Double] = [0]) -> [MeasuredPoint] {
    sizes.enumerated().map { index, size in
      MeasuredPoint(
        bytes: size, seconds: line.seconds(bytes: Double(size)) * (1 + noise[index % noise.count]))
    }
  }

  private let slow = HockneyLine(alpha: 120e-6, beta: 8.5e-8)
  private let fast = HockneyLine(alpha: 2e-3, beta: 4e-9)

  private func isClose(_ found: Double, _ wanted: Double, _ tolerance: Double = 1e-9) -> Bool {
    abs(found - wanted) <= tolerance * abs(wanted)
  }

  @Test func aLineIsRecoveredExactly() throws {
    let fit = try #require(RangedFit(points(slow, [8, 64, 512, 4096, 32768, 1 << 20, 1 << 24])))
    #expect(fit.parts.count == 1 && fit.parts[0].sizes == 8...(1 << 24) && fit.parts[0].pointCount == 7)
    let line = fit.parts[0].line
    #expect(isClose(line.alpha, slow.alpha) && isClose(line.beta, slow.beta))
    #expect(fit.parts[0].error.rootMeanSquare < 1e-12 && fit.parts[0].error.largest < 1e-12)
    #expect(isClose(fit.seconds(bytes: 12345), slow.seconds(bytes: 12345)))
  }

  @Test func twoLinesAreRecoveredByRanges() throws {
    let small = points(slow, [8, 64, 512, 4096, 16384]),
      large = points(fast, [1 << 18, 1 << 20, 1 << 22, 1 << 24])
    let fit = try #require(RangedFit((small + large).shuffled()))
    #expect(fit.parts.map(\.sizes) == [8...16384, (1 << 18)...(1 << 24)])
    #expect(isClose(fit.parts[0].line.alpha, slow.alpha) && isClose(fit.parts[0].line.beta, slow.beta))
    #expect(isClose(fit.parts[1].line.alpha, fast.alpha) && isClose(fit.parts[1].line.beta, fast.beta))
    // The ranges meet at √(2¹⁴ · 2¹⁸) = 2¹⁶, and reach beyond what was measured.
    #expect(isClose(fit.seconds(bytes: 65536), slow.seconds(bytes: 65536)))
    #expect(isClose(fit.seconds(bytes: 65537), fast.seconds(bytes: 65537)))
    #expect(isClose(fit.seconds(bytes: 1e9), fast.seconds(bytes: 1e9)))
    #expect(fit.latencySeconds == fit.parts[0].line.alpha)
    // All of the largest message's time but the latency, the second range's own α included.
    let largest = Double(1 << 24)
    #expect(isClose(fit.largestSecondsPerByte, (fast.seconds(bytes: largest) - slow.alpha) / largest))
    let single = HockneyLine(fitting: small + large)
    #expect((small + large).contains { abs(single.seconds(bytes: Double($0.bytes)) / $0.seconds - 1) > 0.3 })
  }

  @Test func noiseIsReportedAndMakesNoRanges() throws {
    let noisy = points(
      slow, [8, 64, 512, 4096, 32768, 1 << 17, 1 << 19, 1 << 20, 1 << 22], noise: [0.05, -0.05, 0.02, -0.04])
    let fit = try #require(RangedFit(noisy))
    #expect(fit.parts.count == 1)
    #expect(isClose(fit.parts[0].line.alpha, slow.alpha, 0.05))
    #expect(isClose(fit.parts[0].line.beta, slow.beta, 0.05))
    let error = fit.parts[0].error
    #expect(error.rootMeanSquare > 0.01 && error.rootMeanSquare < 0.06)
    #expect(error.largest >= error.rootMeanSquare && error.largest < 0.1)
  }

  @Test func theErrorIsRelative() throws {
    // Constant 1 s against 1 s and 3 s: the least squares of (c − 1)² + (c/3 − 1)² are at c = 1.2.
    let line = HockneyLine(fitting: [
      MeasuredPoint(bytes: 100, seconds: 3), MeasuredPoint(bytes: 200, seconds: 1),
    ])
    #expect(isClose(line.alpha, 1.2) && line.beta == 0)
    let fit = try #require(
      RangedFit([MeasuredPoint(bytes: 100, seconds: 3), MeasuredPoint(bytes: 200, seconds: 1)]))
    #expect(isClose(fit.parts[0].error.largest, 0.6))
    #expect(isClose(fit.parts[0].error.rootMeanSquare, (0.2).squareRoot()))
  }

  @Test func noTimeIsNegative() throws {
    // Through these the best line has α < 0; the best without α is β = 1.5 · 10 / (1 + 2.25 · …) of the points.
    let line = HockneyLine(fitting: [
      MeasuredPoint(bytes: 1, seconds: 1), MeasuredPoint(bytes: 2, seconds: 4),
    ])
    #expect(line.alpha == 0 && isClose(line.beta, (1 + 0.5) / (1 + 0.25)))
  }

  @Test func tooLittleIsNoFit() {
    #expect(RangedFit([]) == nil)
    #expect(RangedFit(points(slow, [64, 64])) == nil)
    #expect(RangedFit([MeasuredPoint(bytes: 8, seconds: 0), MeasuredPoint(bytes: 16, seconds: 1)]) == nil)
  }
}
