internal import CMPI
internal import Glibc
internal import Synchronization

extension Communicator {
  /// Runs `body` while another thread lets MPI go on with `operations`, and returns when both are done.
  ///
  /// Most libraries move a large message only while a rank is in a call of theirs, so that work between two
  /// calls stops what travels. `body` calls no MPI function: the two threads are never in MPI at once, for
  /// which `ThreadLevel.serialized` is enough. Below it, or with nothing under way, `body` runs alone.
  ///
  /// The corresponding MPI function is `MPI_Test`. An error of it is thrown after `body`.
  public func progressing<Result>(
    _ operations: [PendingOperation], _ body: () throws -> Result
  ) throws -> Result {
    guard size > 1, !operations.isEmpty, try MPIEnvironment.threadLevel >= .serialized else {
      return try body()
    }
    let progress = Progress(operations)
    let thread = progress.start()
    let result = Swift.Result { try body() }
    try progress.stop(thread)
    return try result.get()
  }
}

/// What the progress thread and the one that started it share. The operations belong to the progress thread
/// until it is joined.
private final class Progress: @unchecked Sendable {
  private let operations: [PendingOperation]
  private let isStopped = Atomic(false)
  private var failure: MPIError?

  init(_ operations: [PendingOperation]) { self.operations = operations }

  /// Nil where the system has no thread left: then the body runs alone.
  func start() -> pthread_t? {
    var thread = pthread_t()
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
    return thread
  }

  func stop(_ thread: pthread_t?) throws(MPIError) {
    isStopped.store(true, ordering: .releasing)
    if let thread { pthread_join(thread, nil) }
    if let failure { throw failure }
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
