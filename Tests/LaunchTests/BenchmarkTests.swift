import Foundation
import LaunchSupport
import TestSupport
import Testing

extension LaunchTests {
  @Suite(.serialized) struct BenchmarkTests {
    private let world: TinyWorld

    init() throws { world = try TinyWorld() }

    private func json(_ arguments: [String]) throws -> [String: Any] {
      let job = try world.florana(["benchmark"] + arguments + ["--json"], ranks: nil)
      #expect(job.status == 0, "\(job.standardError)")
      let object = try JSONSerialization.jsonObject(with: Data(job.standardOutput.utf8))
      return try #require(object as? [String: Any])
    }

    @Test(arguments: ["fedit", "florana", "florana-matrix"])
    func anEstimateIsMeasured(method: String) throws {
      let result = try json(
        ["estimate", "--clients", "5", "--dimensions", "48x40", "--adapter-rank", "4", "--method", method])
      let rho = try #require(result["rho"] as? Double)
      let seconds = try #require(result["seconds"] as? Double)
      #expect(rho > 0 && rho < 1 && seconds > 0)
      #expect(result["peakBytes"] != nil && result.keys.contains("productSeconds"))
    }

    @Test func aStepIsMeasured() throws {
      let random = try json(["step", "--model", "model", "--batch", "2", "--length", "8", "--steps", "2"])
      #expect(random["tokens"] as? Int == 32)
      let ragged = try json(["step", "--model", "model", "--data", "data", "--batch", "3", "--steps", "2"])
      #expect(try #require(ragged["tokensPerSecond"] as? Double) > 0)
      #expect(try #require(ragged["lossFirst"] as? Double).isFinite)
    }
  }
}
