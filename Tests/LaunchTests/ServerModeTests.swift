import Foundation
import LaunchSupport
import Telemetry
import TestSupport
import Testing

extension LaunchTests {
  /// The three ways to serve give the same bytes.
  @Suite(.serialized) struct ServerModeTests {
    private let world: TinyWorld

    init() throws { world = try TinyWorld() }

    private func run(_ settings: [String], ranks: Int?, output: String) throws {
      let job = try world.simulate(output, settings + ["training.rounds=2"], ranks: ranks)
      #expect(job.status == 0, "\(settings): \(job.standardError)")
    }

    /// What stays with the clients, what changes the base weights, and clients of different ranks.
    @Test(arguments: [
      ["method.name=florana"], ["method.name=fedsa-lora", "adapter.head=local"],
      ["method.name=fedex-lora", "adapter.head=frozen"], ["method.name=flora"], ["method.name=fed-sb"],
      ["method.name=hetlora", "adapter.rank=[4, 1, 2, 2, 3, 4, 1]", "clients.placement=cyclic"],
    ])
    func everyModeGivesTheSameBytes(settings: [String]) throws {
      let settings = settings + ["clients.participation=0.6"]
      try run(settings, ranks: 2, output: "root")
      let (hash, rounds) = (try world.adapterHash("root"), try world.rounds("root"))
      for (mode, ranks) in [("pipelined", 3), ("sharded", 3), ("sharded", nil), ("pipelined", nil)]
        as [(String, Int?)]
      {
        let output = "\(mode)-\(ranks ?? 1)"
        try run(settings + ["server.mode=\(mode)"], ranks: ranks, output: output)
        let found = try world.rounds(output)
        #expect(try world.adapterHash(output) == hash, "\(output)")
        #expect(try world.baseHash(output) == world.baseHash("root"))
        #expect(found.map(\.trainLoss) == rounds.map(\.trainLoss))
        #expect(found.map(\.personalised) == rounds.map(\.personalised))
        #expect(found.map(\.global) == rounds.map(\.global) && found.map(\.oracle) == rounds.map(\.oracle))
        #expect(found.map(\.rho) == rounds.map(\.rho) && found.map(\.rhoOptimum) == rounds.map(\.rhoOptimum))
        #expect(found.map(\.bytes.logicalUp) == rounds.map(\.bytes.logicalUp))
        #expect(found.map(\.bytes.logicalDown) == rounds.map(\.bytes.logicalDown))
        #expect(try world.layers(output) == world.layers("root"))
      }
    }

    /// One timeline for all ranks, each with its phases one after the other.
    @Test(arguments: ["root", "pipelined", "sharded"]) func theTimelineHoldsEveryRank(mode: String) throws {
      try run(["server.mode=\(mode)"], ranks: 3, output: "traced")
      let data = Data(try world.text("traced/trace.json").utf8)
      let events = try #require(JSONSerialization.jsonObject(with: data) as? [[String: Any]])
      let spans = events.filter { $0["ph"] as? String == "X" }
      func number(_ event: [String: Any], _ key: String) throws -> Double {
        try #require(event[key] as? Double)
      }
      for rank in 0..<3 {
        let own = spans.filter { $0["pid"] as? Int == rank }
        #expect(
          Set(own.compactMap { $0["name"] as? String }).isSuperset(of: [
            "train", "pack", "wait", "gather", "apply",
          ]))
        for (event, next) in zip(own, own.dropFirst()) {
          #expect(try number(event, "ts") + number(event, "dur") <= number(next, "ts") + 0.2)
        }
      }
      // No rank has the first round's broadcasts before rank 0 begins to send; clocks are aligned to far less
      // than 20 ms. Both rounds have as many spans; of those in pieces the first only start the transfer.
      let broadcasts = (0..<3).map { rank in
        spans.filter { $0["pid"] as? Int == rank && $0["name"] as? String == "broadcast" }
      }
      let sent = try number(try #require(broadcasts[0].first), "ts")
      for own in broadcasts.dropFirst() {
        let last = try #require(own.prefix(own.count / 2).last)
        #expect(try number(last, "ts") + number(last, "dur") > sent - 2e4)
      }
    }

    /// With every rank a server, none of them receives all updates.
    @Test func servingBySharesBringsEveryRankItsShare() throws {
      let settings = ["clients.count=6", "adapter.targets=[query, value, output.dense]"]
      try run(settings, ranks: 2, output: "root")
      try run(settings + ["server.mode=sharded"], ranks: 2, output: "sharded")
      let (root, sharded) = (try world.rounds("root")[0].bytes, try world.rounds("sharded")[0].bytes)
      #expect(root.broadcast == sharded.broadcast && root.logicalUp == sharded.logicalUp)
      // Three clients a rank: half of all floats cross in both modes, the two blocks being alike but for the head.
      #expect(root.gathered == root.logicalUp / 2 && sharded.gathered == root.gathered)
      // One client, on rank 0: nothing crosses to the root, rank 1's share of it does.
      let alone = ["clients.count=1", "data.partition={ kind: iid }"]
      try run(alone, ranks: 2, output: "alone")
      try run(alone + ["server.mode=sharded"], ranks: 2, output: "shared")
      let (whole, parted) = (try world.rounds("alone")[0].bytes, try world.rounds("shared")[0].bytes)
      #expect(
        whole.gathered == 0 && parted.gathered > whole.logicalUp / 3 && parted.gathered < whole.logicalUp)
    }
  }
}
