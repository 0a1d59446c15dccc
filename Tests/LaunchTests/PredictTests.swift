import Foundation
import LaunchSupport
import TestSupport
import Testing

extension LaunchTests {
  @Suite(.serialized) struct PredictTests {
    private let world: TinyWorld

    init() throws {
      world = try TinyWorld()
      let run = try world.simulate(
        "run", ["clients.participation=0.6", "evaluate.oracle=false", "checkpoint.every=2"], ranks: 2)
      try #require(run.status == 0, "\(run.standardError)")
    }

    private func json(_ arguments: [String]) throws -> [String: Any] {
      let job = try world.florana(["predict", "run"] + arguments + ["--json"], ranks: nil)
      #expect(job.status == 0, "\(job.standardError)")
      let object = try JSONSerialization.jsonObject(with: Data(job.standardOutput.utf8))
      return try #require(object as? [String: Any])
    }

    private func methods(_ prediction: [String: Any]) throws -> [String: [String: Any]] {
      let list = try #require(prediction["methods"] as? [[String: Any]])
      return Dictionary(uniqueKeysWithValues: list.map { ($0["method"] as? String ?? "", $0) })
    }

    private func write(_ text: String, to name: String) throws {
      try Data(text.utf8).write(to: world.folder.appending(path: name))
    }

    /// Lines as of 2 ranks whose link carries 10 MB/s without a latency of its own.
    private func writeCollectives(to name: String) throws {
      let lines = ["gather", "gatherv", "broadcast"].flatMap { operation in
        [8, 4096, 1 << 20, 1 << 24].map { size in
          """
          {"benchmark":"collectives","operation":"\(operation)","bytes":\(size),"ranks":2,"iterations":3,\
          "medianSeconds":\(Double(size) / 10e6)}

          """
        }
      }
      try write(lines.joined(), to: name)
    }

    @Test func bytesOfEveryMethodAndSecondsByTheFormulas() throws {
      let prediction = try json(["--network", "1gbe", "--clients", "6", "--ranks", "3"])
      let methods = try methods(prediction)
      #expect(methods.count == 13)
      // Query and value of two blocks (32×32), output.dense of both kinds (32×32 and 32×64), rank 4, and a head.
      let (squares, wide, head) = (6, 2, 99)
      let factors = 4 * (squares * 64 + wide * 96), ofB = 4 * 32 * (squares + wide)
      func bytes(_ method: String, _ key: String) throws -> Int {
        Int(try #require(methods[method]?[key] as? Double))
      }
      for name in ["fedit", "florana", "florana-matrix", "flexlora", "hetlora", "lora-fair"] {
        #expect(try bytes(name, "upBytesPerClient") == 4 * (factors + head))
        #expect(try bytes(name, "downBytesPerClient") == 4 * (factors + head))
      }
      #expect(try bytes("ffa-lora", "upBytesPerClient") == 4 * (ofB + head))
      // The mean of a round of B and a round of A.
      #expect(try bytes("rolora", "upBytesPerClient") == 4 * (factors + 2 * head) / 2)
      #expect(try bytes("fed-sb", "downBytesPerClient") == 4 * (16 * (squares + wide) + head))
      #expect(try bytes("flora", "downBytesPerClient") == 4 * (6 * factors + head))
      // Of rank 24: less dense for the squares (1024 against 24 · 64) and the wide (2048 against 24 · 96).
      #expect(try bytes("ideal", "downBytesPerClient") == 4 * (squares * 1024 + wide * 2048 + head))

      let florana = try #require(methods["florana"])
      let rate = 1e9 / 8 * 1448 / 1538, message = Double(4 * (factors + head))
      let gather = try #require(florana["gatherSeconds"] as? Double)
      #expect(abs(gather / (2 * (50e-6 + 2 * message / rate)) - 1) < 1e-9)
      let broadcast = try #require(florana["broadcastSeconds"] as? Double)
      #expect(abs(broadcast / (2 * (50e-6 + message / rate)) - 1) < 1e-9)
      let compute = try #require(florana["computeSeconds"] as? [String: Double])
      let round = try #require(florana["roundSeconds"] as? Double)
      #expect(abs(round - gather - broadcast - compute.values.reduce(0, +)) < 1e-9)
      // The run had 4 clients a round on 2 ranks, as many a rank as 6 on 3.
      let run = try #require(prediction["run"] as? [String: Any])
      #expect(run["clients"] as? Int == 4 && run["ranks"] as? Int == 2)
      #expect((run["seconds"] as? [String: Double])?["train"] == compute["train"])
    }

    @Test func ofAResumedRunTheLastJobCounts() throws {
      let more = ["simulate", "--resume", "--output", "run", "--set", "training.rounds=3"]
      #expect(try world.florana(more, ranks: nil).status == 0)
      let run = try #require(try json(["--network", "1gbe"])["run"] as? [String: Any])
      #expect(run["ranks"] as? Int == 1 && run["rounds"] as? Int == 1)
    }

    @Test func aFederationOverTheInternet() throws {
      try write("client,up-mbps,down-mbps,latency-ms\n0,8,80,100\n1,0.8,80,100\n", to: "clients.csv")
      let florana = try methods(
        json(["--network", "clients.csv", "--clients", "2", "--method", "florana", "--server-link", "1gbe"]))
      let bytes = try #require(florana["florana"]?["upBytesPerClient"] as? Double)
      #expect(florana.count == 1)
      #expect(abs((florana["florana"]?["gatherSeconds"] as? Double ?? 0) - (0.1 + bytes / 1e5)) < 1e-9)
      #expect(abs((florana["florana"]?["broadcastSeconds"] as? Double ?? 0) - (0.1 + bytes / 1e7)) < 1e-9)
    }

    @Test func anotherAdapterOnPaper() throws {
      let methods = try methods(
        json(["--network", "lte", "--clients", "1000", "--layers", "64x4096x4096", "--adapter-rank", "16"]))
      #expect(methods["florana"]?["upBytesPerClient"] as? Double == 33_554_432)
      #expect(methods["fed-sb"]?["upBytesPerClient"] as? Double == 65_536)
      #expect(methods["ideal"]?["downBytesPerClient"] as? Double == 4_294_967_296)
      #expect(methods["florana"]?["roundSeconds"] == nil)
    }

    @Test func measuredCollectivesAreFittedAndCheckedAgainstTheRun() throws {
      try writeCollectives(to: "run/collectives.jsonl")
      let own = try json(["--network", "1gbe"])
      let fits = try #require(own["collectives"] as? [String: Any])
      #expect(fits["ranks"] as? Int == 2 && fits["linkBytesPerSecond"] == nil)
      let checks = try #require(own["selfCheck"] as? [[String: Any]])
      #expect(checks.map { $0["operation"] as? String } == ["gather", "broadcast"])
      for check in checks {
        let bytes = try #require(check["bytes"] as? Double),
          model = try #require(check["modelSeconds"] as? Double)
        #expect(abs(model / (bytes / 10e6) - 1) < 1e-6)
      }
      // The same file as another network, with its two ranks on two hosts.
      let other = try methods(json(["--network", "run/collectives.jsonl"]))["florana"]
      let bytes = try #require(other?["upBytesPerClient"] as? Double)
      #expect(abs((other?["gatherSeconds"] as? Double ?? 0) / (2 * bytes / 10e6) - 1) < 1e-6)

      let text = try world.florana(["predict", "run", "--network", "1gbe", "--ranks", "4"], ranks: 2)
      #expect(text.status == 0, "\(text.standardError)")
      let lines = text.standardOutput.split(separator: "\n").map(String.init)
      #expect(lines.filter { $0.contains("run: run: florana") }.count == 1)
      #expect(lines.filter { $0.hasPrefix("warning: all ranks were on one host") }.count == 1)
      #expect(lines.contains { $0.contains("rms error %") && $0.contains("largest %") })
      #expect(
        lines.contains { $0.contains("linear gather at the root") && $0.contains("4 ranks on 4 hosts") })
      #expect(lines.filter { $0.contains("florana-matrix") }.count == 1)
    }

    /// Of 32 ranks the choice is not known, whatever the library.
    @Test func howTheAlgorithmIsKnownIsSaid() throws {
      let assumptions = try #require(
        json(["--network", "1gbe", "--ranks", "32"])["assumptions"] as? [String])
      #expect(
        assumptions.contains {
          $0.contains("binomial broadcast below 512 KiB (assumed)") && $0.hasSuffix("from there (assumed)")
        }, "\(assumptions)")
    }

    private func expectRefusal(
      _ arguments: [String], naming parts: [String], sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
      let job = try world.florana(["predict"] + arguments, ranks: 2)
      #expect(job.status == 2, "\(job.standardError)", sourceLocation: sourceLocation)
      let reports = job.reports("florana: ")
      #expect(reports.count == 1, "\(job.standardError)", sourceLocation: sourceLocation)
      for part in parts {
        #expect(reports.first?.contains(part) == true, "\(reports)", sourceLocation: sourceLocation)
      }
      #expect(job.standardOutput.isEmpty, sourceLocation: sourceLocation)
    }

    @Test func badInputIsRefused() throws {
      try expectRefusal(["nowhere", "--network", "lte"], naming: ["nowhere/rounds.jsonl", "no file"])
      try expectRefusal(["run", "--network", "lti"], naming: ["--network", "lti", "did you mean lte?"])
      try expectRefusal(["run", "--network", "lte", "--method", "florena"], naming: ["did you mean florana"])
      try expectRefusal(
        ["run", "--network", "lte", "--server-link", "lte"], naming: ["--server-link", "cluster network"])
      try expectRefusal(
        ["run", "--network", "lte", "--layers", "2x8x8", "--adapter-rank", "9"],
        naming: ["--adapter-rank", "8×8", "found 9"])
      try write("client,up\n", to: "clients.csv")
      try expectRefusal(["run", "--network", "clients.csv"], naming: ["clients.csv", "up-mbps"])
      try write(#"{"operation":"gather""#, to: "bad.jsonl")
      try expectRefusal(["run", "--network", "bad.jsonl"], naming: ["bad.jsonl:1"])
      try expectRefusal(["run", "--network", "lte", "--collectives", "no.jsonl"], naming: ["no.jsonl"])
      let usage = try world.florana(["predict", "run", "--network", "lte", "--layers", "2x8"], ranks: nil)
      #expect(usage.status == 2 && usage.standardError.contains("COUNTxOUTPUTSxINPUTS"))
    }

    @Test func damagedRunsAreRefused() throws {
      let configuration = try world.text("run/config.yaml"), rounds = try world.text("run/rounds.jsonl")
      try write(configuration.replacing("rank: 4", with: "rank: 2"), to: "run/config.yaml")
      try expectRefusal(["run", "--network", "lte"], naming: ["run", "bytes up in round 1", "rounds.jsonl"])
      try write(configuration, to: "run/config.yaml")
      try write(String(rounds.dropLast(30)), to: "run/rounds.jsonl")
      try expectRefusal(["run", "--network", "lte"], naming: ["run/rounds.jsonl:2"])
      try write("", to: "run/rounds.jsonl")
      try expectRefusal(["run", "--network", "lte"], naming: ["run", "at least one round"])
      try write(rounds, to: "run/rounds.jsonl")
      try write("{", to: "run/environment.json")
      try expectRefusal(["run", "--network", "lte"], naming: ["run/environment.json"])
    }
  }
}
