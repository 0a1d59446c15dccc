internal import Foundation

/// Standard output and standard error.
enum Terminal {
  static func write(_ text: String, to handle: FileHandle = .standardOutput) {
    // A reader that has gone (a closed pipe) is no reason to stop a run whose files are being written.
    try? handle.write(contentsOf: Data(text.utf8))
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
