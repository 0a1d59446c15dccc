internal import Foundation

/// Replaces a file as a whole: a temporary sibling is written, brought to the disk and renamed.
func writeAtomically(_ text: String, toFileAt path: String) throws(TelemetryError) {
  let url = URL(fileURLWithPath: path)
  let sibling = url.deletingLastPathComponent()
    .appendingPathComponent(".\(url.lastPathComponent).partial").path
  do throws(TelemetryError) {
    try write(text, toFileAt: sibling, O_TRUNC, toDisk: true)
    guard rename(sibling, path) == 0 else { throw .system(path, "renaming \(sibling)") }
  } catch {
    unlink(sibling)
    throw error
  }
}

/// Appends to a file, which is made if it is not there.
func append(_ text: String, toFileAt path: String) throws(TelemetryError) {
  try write(text, toFileAt: path, O_APPEND, toDisk: false)
}

private func write(
  _ text: String, toFileAt path: String, _ flag: Int32, toDisk: Bool
) throws(TelemetryError) {
  let descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | flag, 0o666)
  guard descriptor >= 0 else { throw .system(path, "opening for writing") }
  defer { close(descriptor) }
  try write(Array(text.utf8), to: descriptor, path)
  guard !toDisk || fsync(descriptor) == 0 else { throw .system(path, "bringing to the disk") }
}

private func write(_ bytes: [UInt8], to descriptor: Int32, _ path: String) throws(TelemetryError) {
  var written = 0
  while written < bytes.count {
    let count = bytes.withUnsafeBytes { buffer in
      write(descriptor, buffer.baseAddress! + written, buffer.count - written)
    }
    if count < 0 && errno == EINTR { continue }
    guard count > 0 else { throw .system(path, "writing") }
    written += count
  }
}
