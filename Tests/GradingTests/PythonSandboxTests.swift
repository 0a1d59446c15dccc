import Foundation
import Testing

@testable import Grading

/// What this machine has to offer: some containers forbid the namespaces, and then nothing is run.
private let refusal: String? = {
  if case .unavailable(let reason) = PythonSandbox().run(program: "", tests: "pass") { return reason }
  return nil
}()

@Suite(.serialized, .enabled(if: refusal == nil, "no sandbox here: \(refusal ?? "")"))
struct PythonSandboxTests {
  private var sandbox = PythonSandbox()

  init() {
    sandbox.limits.wallSeconds = 5
    sandbox.limits.cpuSeconds = 1
    sandbox.limits.memoryByteCount = 256 << 20
    sandbox.limits.fileByteCount = 1 << 20
  }

  private func run(_ program: String, tests: String = "assert square(3) == 9") -> PythonSandbox.Outcome {
    sandbox.run(program: program, tests: tests)
  }

  private func failure(_ outcome: PythonSandbox.Outcome) -> String? {
    guard case .failed(let message) = outcome else { return nil }
    return message
  }

  /// A program that fails before it is told how to pass has failed, and nothing else.
  @Test func failingAtOnceIsAFailure() {
    var slow = sandbox
    slow.runner = PythonSandbox.runner.replacing(
      "token = os.urandom", with: "time.sleep(0.5); token = os.urandom")
    #expect(slow.runner != PythonSandbox.runner)
    let outcome = slow.run(program: "def", tests: "pass")
    #expect(failure(outcome)?.hasPrefix("SyntaxError") == true, "\(outcome)")
    #expect(slow.run(program: "", tests: "pass") == .passed)
  }

  /// What a program says of itself is no reason to end a run.
  @Test(arguments: [
    #"raise ValueError("\ud800")"#, #"raise ValueError("\x00\x1b[2J")"#,
    "import os\nfor end in range(3, 64):\n  try: os.write(end, b'[' * 60000)\n  except OSError: pass\nos._exit(0)",
  ])
  func strangeWordsAreAFailure(program: String) {
    #expect(failure(run(program)) != nil)
  }

  /// Ranks of a node grade at the same time, and what one's program starts is not held against another's.
  @Test func sandboxesAtTheSameTimeDoNotCountOneAnothersProcesses() async {
    let program = """
      import os, time
      def square(x): return x * x
      child = os.fork()
      time.sleep(0.5)
      if child == 0: os._exit(0)
      os.waitpid(child, 0)
      """
    let sandbox = sandbox
    let outcomes = await withTaskGroup(of: PythonSandbox.Outcome.self) { group in
      for _ in 0..<6 { group.addTask { sandbox.run(program: program, tests: "assert square(3) == 9") } }
      return await group.reduce(into: []) { $0.append($1) }
    }
    #expect(outcomes.allSatisfy { $0 == .passed }, "\(outcomes)")
  }

  @Test func withoutPythonNothingIsRun() {
    #expect(
      PythonSandbox(interpreter: nil).run(program: "", tests: "pass")
        == .unavailable("no python3 on the path"))
  }

  @Test func rightProgramPassesWithPythonsLibrary() {
    #expect(
      run("import math, re, collections, typing, heapq\ndef square(x): return math.prod([x, x])") == .passed)
  }

  @Test(arguments: [
    ("def square(x): return x + 1", "AssertionError"), ("def sqare(x): return x", "NameError"),
    ("def square(x) return x", "SyntaxError"), ("square = 3", "TypeError"), ("", "NameError"),
  ])
  func wrongProgramFails(program: String, error: String) {
    #expect(failure(run(program))?.hasPrefix(error) == true)
  }

  @Test func endlessLoopIsEnded() { #expect(run("while True: pass") == .timedOut) }

  @Test func sleeperIsEnded() {
    var short = sandbox
    short.limits.wallSeconds = 0.5
    let start = ContinuousClock.now
    #expect(short.run(program: "import time\ntime.sleep(60)", tests: "pass") == .timedOut)
    #expect(ContinuousClock.now - start < .seconds(10))
  }

  @Test func memoryHogIsStopped() { #expect(run("hog = bytearray(1 << 30)") == .outOfMemory) }

  @Test func forkBombIsContainedAndNothingIsLeft() throws {
    let bomb = """
      import os
      forked = 0
      while True:
        try:
          forked += os.fork() > 0
          assert forked < 20
        except OSError:
          pass
      """
    #expect(run(bomb) == .timedOut)
    #expect(try runners() == 0)
  }

  @Test func whatWasLeftInTheBackgroundEnds() throws {
    let program = """
      import os, time
      def square(x): return x * x
      if os.fork() == 0:
        os.setsid()
        time.sleep(60)
      """
    #expect(run(program) == .passed)
    #expect(try runners() == 0)
  }

  /// Processes that run the sandbox's Python.
  private func runners() throws -> Int {
    try FileManager.default.contentsOfDirectory(atPath: "/proc").count {
      let line = FileManager.default.contents(atPath: "/proc/\($0)/cmdline") ?? Data()
      return String(decoding: line, as: UTF8.self).contains("def enter_namespaces")
    }
  }

  @Test func filesOutsideAreOutOfReach() throws {
    let home = FileManager.default.homeDirectoryForCurrentUser.path
    let folder = FileManager.default.temporaryDirectory.path
    let source = URL(filePath: #filePath).path
    for path in [home, folder, "/usr", "/etc", "/work", "/"] {
      let name = "\(path)/florana-sandbox-escape"
      let outcome = run("open('\(name)', 'w').write('x')\ndef square(x): return x * x")
      #expect(outcome == .passed || failure(outcome) != nil)
      #expect(!FileManager.default.fileExists(atPath: name))
    }
    #expect(failure(run("open('\(source)')"))?.hasPrefix("FileNotFoundError") == true)
    #expect(failure(run("open('/etc/passwd')"))?.hasPrefix("FileNotFoundError") == true)
  }

  @Test func ownFolderIsEmptyWritableAndSmall() {
    let program = """
      import os
      assert os.listdir('.') == [] and dict(os.environ) == {}
      open('note', 'w').write('x' * 1000)
      assert open('note').read(1) == 'x'
      def square(x): return x * x
      """
    #expect(run(program) == .passed)
    #expect(run(program) == .passed)
    #expect(failure(run("open('big', 'wb').write(b'x' * (1 << 21))"))?.hasPrefix("OSError") == true)
  }

  @Test func networkIsOutOfReach() throws {
    let server = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(server) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isListening = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(server, $0, size) == 0 && listen(server, 4) == 0 && getsockname(server, $0, &size) == 0
      }
    }
    try #require(isListening)
    let program = """
      import socket
      socket.create_connection(('127.0.0.1', \(UInt16(bigEndian: address.sin_port))), 2)
      def square(x): return x * x
      """
    // The server is there: the same program connects outside.
    let outside = Process()
    outside.executableURL = URL(filePath: try #require(sandbox.interpreter))
    outside.arguments = ["-c", program]
    try outside.run()
    outside.waitUntilExit()
    #expect(outside.terminationStatus == 0)
    #expect(failure(run(program))?.hasPrefix("OSError") == true)
  }

  @Test(arguments: [
    "import sys\nsys.exit(0)", "raise SystemExit", "import os\nos._exit(0)", "import os\nos.abort()",
  ])
  func leavingEarlyIsNoPass(program: String) {
    #expect(failure(run(program)) != nil)
    let late = "def square(x):\n  " + program.split(separator: "\n").joined(separator: "\n  ")
    #expect(failure(run(late)) != nil)
  }

  @Test func forgedVerdictIsNoPass() {
    let program = """
      import os
      for text in ('["passed", ""]', '{"kind": "passed", "message": ""}'):
        print(text, flush=True)
        for number in range(3, 64):
          try: os.write(number, text.encode())
          except OSError: pass
      os._exit(0)
      """
    #expect(failure(run(program)) != nil)
  }

  /// Else a program could end the whole evaluation.
  @Test func forgedUnavailabilityIsAFailure() {
    let program = """
      import os
      for number in range(3, 64):
        try: os.write(number, b'["unavailable", "so it says"]')
        except OSError: pass
      os._exit(0)
      """
    #expect(failure(run(program)) != nil)
  }

  @Test func parentsCannotBeKilled() {
    let program = """
      import os, signal
      for process in (os.getppid(), 1, 0, -1):
        if process == 0: continue
        try: os.kill(process, signal.SIGKILL)
        except OSError: pass
      def square(x): return x * x
      """
    #expect(run(program) == .passed)
  }

  @Test func rightsCannotBeHadBack() {
    let program = """
      import ctypes, os
      libc = ctypes.CDLL(None)
      assert libc.unshare(0x20000) < 0 and libc.mount(b'none', b'/work', b'tmpfs', 0, None) < 0
      assert libc.chroot(b'/usr') < 0
      def square(x): return x * x
      """
    #expect(run(program) == .passed)
  }

  @Test func gradesAnAnswer() throws {
    let reference = Reference(
      prompt: "", answer: "", group: nil,
      solution: .python(tests: "assert square(3) == 9", prefix: "def square(x):\n"))
    #expect(try grade(answer: "  return x * x", reference: reference, sandbox: sandbox).isExact)
    let wrong = try grade(answer: "  return x", reference: reference, sandbox: sandbox)
    #expect(!wrong.isExact && wrong.reason?.contains("AssertionError") == true)
  }
}

@Suite struct UnavailableSandboxTests {
  @Test func withoutPythonNothingIsGraded() {
    let sandbox = PythonSandbox(interpreter: "/nowhere/python3")
    let reference = Reference(
      prompt: "", answer: "", group: nil, solution: .python(tests: "pass", prefix: ""))
    #expect(throws: PythonSandbox.Unavailable.self) {
      try grade(answer: "x = 1", reference: reference, sandbox: sandbox)
    }
  }
}
