internal import Foundation

/// A result that did not reach standard output.
struct OutputError: Error, CustomStringConvertible {
  let reason: String
  var description: String { "standard output: expected to write the result, found: \(reason)" }
}

/// Standard output and standard error.
enum Terminal {
  /// Shows what a run also writes to files: a reader that has gone is no reason to stop it.
  static func write(_ text: String, to handle: FileHandle = .standardOutput) {
    try? handle.write(contentsOf: Data(text.utf8))
  }

  /// Writes a result that is nowhere else: what cannot be written is an error.
  static func deliver(_ text: String) throws {
    do { try FileHandle.standardOutput.write(contentsOf: Data(text.utf8)) } catch {
      throw OutputError(reason: String(cString: strerror(errno)))
    }
  }

  /// Whether a person may be looking at standard output.
  ///
  /// mpirun gives every rank a pseudo-terminal of its own, whatever its own output is. So under mpirun the
  /// question is asked of its standard output, which belongs to the parent of a rank on the first host.
  static var isTerminal: Bool {
    guard isatty(STDOUT_FILENO) == 1 else { return false }
    return Launch.isUnderLauncher ? withLauncherOutput { isatty($0) == 1 } ?? false : true
  }

  /// Columns of the terminal, 80 where that is not known.
  static var width: Int {
    let columns = Launch.isUnderLauncher ? withLauncherOutput(columns) : columns(STDOUT_FILENO)
    return columns.flatMap { $0 > 0 ? $0 : nil } ?? 80
  }

  private static func columns(_ descriptor: Int32) -> Int {
    var size = winsize()
    return ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0 ? Int(size.ws_col) : 0
  }

  private static func withLauncherOutput<Result>(_ body: (Int32) -> Result) -> Result? {
    let descriptor = open("/proc/\(getppid())/fd/1", O_WRONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    return body(descriptor)
  }
}
