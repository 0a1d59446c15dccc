internal import Foundation

/// A file's bytes, mapped read-only and shared: the processes of one node hold one physical copy.
final class MappedFile: Sendable {
  nonisolated(unsafe) let bytes: UnsafeRawBufferPointer

  init(path: String) throws(SafetensorsError) {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw Self.failure(path) }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw Self.failure(path) }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw SafetensorsError(path, .cannotRead(reason: "not a regular file"))
    }
    let byteCount = Int(status.st_size)
    // An empty file cannot be mapped, and a shorter one holds nothing.
    guard byteCount >= 8 else { throw SafetensorsError(path, .fileTooShort(found: byteCount)) }
    guard let address = mmap(nil, byteCount, PROT_READ, MAP_SHARED, descriptor, 0), address != MAP_FAILED
    else { throw Self.failure(path) }
    bytes = UnsafeRawBufferPointer(start: address, count: byteCount)
  }

  deinit {
    munmap(UnsafeMutableRawPointer(mutating: bytes.baseAddress!), bytes.count)
  }

  private static func failure(_ path: String) -> SafetensorsError {
    SafetensorsError(path, .cannotRead(reason: String(cString: strerror(errno))))
  }
}
