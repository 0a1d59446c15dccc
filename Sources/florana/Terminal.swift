internal import Foundation

/// Standard output and standard error.
enum Terminal {
  static func write(_ text: String, to handle: FileHandle = .standardOutput) {
    // A reader that has gone (a closed pipe) is no reason to stop a run whose files are being written.
    try? handle.write(contentsOf: Data(text.utf8))
  }

  static var isTerminal: Bool { isatty(STDOUT_FILENO) == 1 }

  /// Columns of the terminal, 80 where that is not known.
  static var width: Int {
    var size = winsize()
    guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
    return Int(size.ws_col)
  }
}
