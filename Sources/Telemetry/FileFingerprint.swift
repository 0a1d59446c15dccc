internal import Foundation

/// By what a file is known again: its length and a SHA-256.
///
/// The hash is that of all bytes up to 64 MiB. Of a longer file it is that of 64 pieces of 1 MiB, evenly spread
/// from its first byte to its last: another model or data set is noticed, a single byte between the pieces is not.
public struct FileFingerprint: Codable, Sendable, Equatable, CustomStringConvertible {
  public let byteCount: Int
  /// Hexadecimal digits.
  public let sha256: String

  static let pieceCount = 64
  static let pieceLength = 1 << 20

  /// - Throws: if the file cannot be read.
  public init(ofFileAt path: String) throws(TelemetryError) {
    (byteCount, sha256) = try SHA256.withDescriptor(ofFileAt: path) { file throws(TelemetryError) in
      let length = Int(lseek(file, 0, SEEK_END))
      guard length >= 0 else { throw .system(path, "finding the length") }
      var hash = SHA256()
      for piece in Self.pieces(ofLength: length) {
        guard lseek(file, off_t(piece.lowerBound), SEEK_SET) >= 0 else { throw .system(path, "reading") }
        try hash.update(file, path, upTo: piece.count)
      }
      return (length, hash.hexDigest())
    }
  }

  /// The bytes that are looked at.
  static func pieces(ofLength length: Int) -> [Range<Int>] {
    guard length > pieceCount * pieceLength else { return [0..<length] }
    let last = length - pieceLength
    return (0..<pieceCount).map { index in
      let start = last / (pieceCount - 1) * index + last % (pieceCount - 1) * index / (pieceCount - 1)
      return start..<start + pieceLength
    }
  }

  public var description: String { "\(byteCount) bytes with SHA-256 \(sha256.prefix(12))…" }
}
