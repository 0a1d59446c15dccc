import Foundation
import Telemetry
import TestSupport
import Testing

@Suite struct RoundReportTests {
  @Test func aLineHasTheKeysInTheirOrder() {
    let expected =
      #"{"round":1,"method":"florana","clients":[0,3],"trainLoss":0.61,"#
      + #""personalised":{"accuracy":0.75,"loss":0.52,"f1":0.8,"matthews":0.5},"#
      + #""global":{"accuracy":0.5,"loss":0.57},"gap":0.25,"#
      + #""rho":0.11,"rhoFedIT":0.14,"rhoOptimum":0.1,"closedGap":0.75,"#
      + #""bytes":{"logicalUp":4000,"logicalDown":3000,"gathered":2000,"broadcast":1000},"#
      + #""seconds":{"train":{"minimum":1.0,"mean":1.5,"maximum":2.0},"gather":{"minimum":0.25,"mean":0.5,"maximum":1.0}}}"#
    #expect(report().json.line == expected)
  }

  @Test func aLineReadsBackEqual() throws {
    let line = Data(report().json.line.utf8)
    #expect(try JSONDecoder().decode(RoundReport.self, from: line) == report())
  }

  @Test func whatIsAbsentHasNoKey() throws {
    let bare = RoundReport(round: 2, method: "fedit", clients: [1], trainLoss: 0.5)
    let object = try #require(
      try JSONSerialization.jsonObject(with: Data(bare.json.line.utf8)) as? [String: Any])
    #expect(Set(object.keys) == ["round", "method", "clients", "trainLoss", "bytes", "seconds"])
    #expect(try JSONDecoder().decode(RoundReport.self, from: Data(bare.json.line.utf8)) == bare)
  }

  @Test func numbersThatAreNotFiniteBecomeNull() throws {
    var diverged = report()
    diverged.trainLoss = .nan
    diverged.global?.loss = .infinity
    diverged.rho = -.infinity
    let line = diverged.json.line
    let object = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
    #expect(object["trainLoss"] is NSNull)
    #expect(object["rho"] is NSNull)
    let again = try JSONDecoder().decode(RoundReport.self, from: Data(line.utf8))
    #expect(again.trainLoss.isNaN)
    #expect(again.global?.loss.isNaN == true)
    #expect(again.rho == nil)
  }

  @Test func theEncoderWritesTheSameValues() throws {
    let encoded = try JSONEncoder().encode(report())
    let object = try #require(try JSONSerialization.jsonObject(with: encoded) as? NSDictionary)
    let line = try JSONSerialization.jsonObject(with: Data(report().json.line.utf8)) as? NSDictionary
    #expect(object == line)
    #expect(object["gap"] as? Double == 0.25)
  }

  @Test func everyPhaseIsWrittenInItsOrder() throws {
    var full = report()
    full.seconds = [Phase: Spread](gathered: Array(repeating: 1, count: Phase.allCases.count))
    let line = full.json.line
    let positions = try Phase.allCases.map {
      try #require(line.range(of: "\"\($0.rawValue)\":{\"minimum\"")).lowerBound
    }
    #expect(positions == positions.sorted())
  }
}

@Suite struct LayerReportTests {
  @Test func aFullLine() throws {
    let layer = LayerReport(
      round: 3, layer: "encoder.layer.0.attention.self.query", rho: 0.2, rhoFedIT: 0.3, rhoOptimum: 0.1,
      closedGap: 0.5, coefficients: .init(minimum: -0.5, maximum: 1.5), sweeps: 12)
    let expected =
      #"{"round":3,"layer":"encoder.layer.0.attention.self.query","rho":0.2,"rhoFedIT":0.3,"rhoOptimum":0.1,"#
      + #""closedGap":0.5,"coefficients":{"minimum":-0.5,"maximum":1.5},"sweeps":12}"#
    #expect(layer.json.line == expected)
    #expect(try JSONDecoder().decode(LayerReport.self, from: Data(expected.utf8)) == layer)
  }

  @Test func whatAMethodDoesNotHaveIsAbsent() {
    #expect(LayerReport(round: 1, layer: "q", rho: 0.5).json.line == #"{"round":1,"layer":"q","rho":0.5}"#)
  }
}

@Suite struct RunSummaryTests {
  @Test func totalsAndTheBestRound() throws {
    let reports = [
      report(1, global: 0.5), report(2, global: 0.75), report(3, global: 0.75), report(4, global: nil),
    ]
    let summary = RunSummary(of: reports, wallSeconds: 12.5, adapterSHA256: "ab")
    #expect(summary.rounds == 4)
    #expect(summary.best?.round == 2)
    #expect(summary.last?.round == 4)
    #expect(
      summary.bytes == ByteCounts(logicalUp: 16000, logicalDown: 12000, gathered: 8000, broadcast: 4000))
    #expect(summary.seconds[.train] == Spread(minimum: 4, mean: 6, maximum: 8))
    #expect(summary.seconds[.evaluate] == nil)
    let again = try JSONDecoder().decode(RunSummary.self, from: Data(summary.json.document.utf8))
    #expect(again == summary)
  }

  @Test func aRunWithoutEvaluationHasNoBestRound() throws {
    let summary = RunSummary(of: [report(global: nil), report(global: .nan)], wallSeconds: 1)
    #expect(summary.best == nil)
    let object = try #require(
      try JSONSerialization.jsonObject(with: Data(summary.json.line.utf8)) as? [String: Any])
    #expect(object["best"] == nil)
    #expect(object["adapterSHA256"] == nil)
  }

  @Test func noRoundsAtAll() {
    let summary = RunSummary(of: [], wallSeconds: 0)
    #expect(summary.last == nil)
    #expect(summary.seconds.isEmpty)
  }
}

@Suite struct EnvironmentReportTests {
  @Test func theDocumentReadsBackEqual() throws {
    let environment = EnvironmentReport(
      florana: "0.1.0", mpi: .init(library: "Open MPI v4.1.4\n\"x\"", threadLevel: "funneled"),
      hosts: EnvironmentReport.Host.counting(["b", "b", "a", "b"]), cores: 2,
      blas: .init(core: "Zen", configuration: "OpenBLAS 0.3.21", threads: 1, frozenProducts: "avx2"),
      transports: ["btl": "tcp,self", "pml": "ob1"], gitCommit: nil,
      startTime: EnvironmentReport.currentTime(), commandLine: ["florana", "simulate"])
    #expect(environment.hosts == [.init(name: "b", ranks: 3), .init(name: "a", ranks: 1)])
    let document = environment.json.document
    #expect(document.hasPrefix("{\n  \"florana\": \"0.1.0\",\n  \"mpi\": {\n    \"library\""))
    #expect(try JSONDecoder().decode(EnvironmentReport.self, from: Data(document.utf8)) == environment)
    #expect(environment.startTime.wholeMatch(of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/) != nil)
  }

  @Test func onlyTransportsAreTakenFromTheEnvironment() {
    let transports = EnvironmentReport.transports(in: [
      "OMPI_MCA_btl": "tcp,self", "OMPI_MCA_btl_tcp_if_include": "lo",
      "OMPI_MCA_orte_precondition_transports": "key",
      "OMPI_MCA_btlx": "1", "HOME": "/",
    ])
    #expect(transports == ["btl": "tcp,self", "btl_tcp_if_include": "lo"])
  }

  @Test func theCommitIsReadFromGitsFiles() throws {
    try withTemporaryFolder { folder in
      let git = folder + "/.git"
      let inner = folder + "/a/b"
      for path in [git + "/refs/heads", inner] {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
      }
      func write(_ text: String, _ name: String) throws {
        try text.write(toFile: "\(git)/\(name)", atomically: true, encoding: .utf8)
      }
      try write("ref: refs/heads/main\n", "HEAD")
      #expect(EnvironmentReport.gitCommit(around: inner) == nil)
      try write("# pack-refs\n1234 refs/heads/main\n5678 refs/heads/xmain\n", "packed-refs")
      #expect(EnvironmentReport.gitCommit(around: inner) == "1234")
      try write("abcd\n", "refs/heads/main")
      #expect(EnvironmentReport.gitCommit(around: inner) == "abcd")
      try write("ef01\n", "HEAD")
      #expect(EnvironmentReport.gitCommit(around: folder) == "ef01")
    }
  }

  @Test func theCommitOfAWorktreeIsReadFromItsOwnFiles() throws {
    try withTemporaryFolder { folder in
      for path in ["main/.git/worktrees/w", "main/.git/refs/heads", "w"] {
        try FileManager.default.createDirectory(
          atPath: "\(folder)/\(path)", withIntermediateDirectories: true)
      }
      func write(_ text: String, _ name: String) throws {
        try text.write(toFile: "\(folder)/\(name)", atomically: true, encoding: .utf8)
      }
      try write("ref: refs/heads/other\n", "main/.git/worktrees/w/HEAD")
      try write("../..\n", "main/.git/worktrees/w/commondir")
      try write("abcd\n", "main/.git/refs/heads/other")
      try write("gitdir: ../main/.git/worktrees/w\n", "w/.git")
      #expect(EnvironmentReport.gitCommit(around: folder + "/w") == "abcd")
    }
  }

  @Test func theRootOfTheFileSystemHasNoCommit() {
    #expect(EnvironmentReport.gitCommit(around: "/") == nil)
  }
}

@Suite struct JSONValueTests {
  @Test(arguments: ["", "plain", "a\"b\\c/d", "line\nend\ttab\r\u{0}\u{1f}", "größe 模型 🦉", "\u{2028}"])
  func stringsAreEscapedSoThatTheyReadBack(text: String) throws {
    let line = JSONValue.array([.string(text)]).line
    #expect(!line.contains("\n"))
    #expect(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String] == [text])
  }

  @Test(arguments: [
    0, -0.0, 1, 0.1, 1e-8, .leastNonzeroMagnitude, .greatestFiniteMagnitude, 1e21, 123456789.123,
  ])
  func numbersReadBackExactly(number: Double) throws {
    let line = JSONValue.array([.number(number)]).line
    #expect(try JSONDecoder().decode([Double].self, from: Data(line.utf8)) == [number])
  }

  @Test func emptyContainersStayOnOneLine() {
    #expect(
      JSONValue.object([("a", .array([])), ("b", .object([])), ("c", .bool(false))]).document
        == "{\n  \"a\": [],\n  \"b\": {},\n  \"c\": false\n}\n")
  }
}
