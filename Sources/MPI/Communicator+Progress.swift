internal import CMPI
internal import Glibc
internal import Synchronization

extension Communicator {
  /// Runs `body` while another thread lets MPI go on with `operations`; they may still be under way when it ends.
  ///
  /// Most libraries move a large message only while a rank is in a call of theirs, so that work between two
  /// calls stops what travels. `body` calls no MPI function: the two threads are never in MPI at once, for
  /// which `ThreadLevel.serialized` is enough. Without it MPI is called before and after `body` alone.
  ///
  /// The corresponding MPI function is `MPI_Testall`. Its error is thrown where `body` throws none.
  public func progressing<Result>(
    _ operations: [PendingOperation], _ body: () throws -> Result
  ) throws -> Result {
    guard size > 1, !operations.isEmpty else { return try body() }
    for operation in operations { try operation.advance() }
    guard try MPIEnvironment.threadLevel >= .serialized, let progress = Progress(operations) else {
      let result = try body()
      for operation in operations { try operation.advance() }
      return result
    }
    let result = Swift.Result { try body() }
    let failure = progress.stop()
    let value = try result.get()
    if let failure { throw failure }
    return value
  }
}

/// A thread that tests operations until it is stopped. They belong to it until then.
private final class Progress: @unchecked Sendable {
  private let operations: [PendingOperation]
  private let isStopped = Atomic(false)
  private var failure: MPIError?
  private var thread = pthread_t()

  /// Nil where the system has no thread left.
  init?(_ operations: [PendingOperation]) {
    self.operations = operations
    let code = pthread_create(
      &thread, nil,
      { context in
        Unmanaged<Progress>.fromOpaque(context!).takeRetainedValue().run()
        return nil
      }, Unmanaged.passRetained(self).toOpaque())
    guard code == 0 else {
      Unmanaged.passUnretained(self).release()
      return nil
    }
  }

  /// Waits until the thread has ended, and returns its error.
  func stop() -> MPIError? {
    isStopped.store(true, ordering: .releasing)
    pthread_join(thread, nil)
    return failure
  }

  private func run() {
    do throws(MPIError) {
      while !isStopped.load(ordering: .acquiring) {
        var isDone = true
        for operation in operations { isDone = try operation.advance() && isDone }
        if isDone { return }
        usleep(Self.pauseMicroseconds)
      }
    } catch { failure = error }
  }

  /// Short beside the time in which a link fills a socket's buffer (4 MB: 3 ms at 10 Gbit/s), long beside a
  /// test (some µs), so that the thread takes little of the core that `body` works on.
  private static let pauseMicroseconds: UInt32 = 100
}
