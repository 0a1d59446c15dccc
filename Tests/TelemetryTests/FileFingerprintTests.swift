import Foundation
import TestSupport
import Testing

@testable import Telemetry

@Suite struct FileFingerprintTests {
  @Test func shortFilesAreHashedWhole() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/file"
      try Data("abc".utf8).write(to: URL(filePath: path))
      let fingerprint = try FileFingerprint(ofFileAt: path)
      #expect(fingerprint.byteCount == 3)
      #expect(fingerprint.sha256 == SHA256.hexDigest(of: Array("abc".utf8)))
      #expect("\(fingerprint)" == "3 bytes with SHA-256 ba7816bf8f01…")
      #expect { try FileFingerprint(ofFileAt: folder + "/none") } throws: {
        "\($0)".contains("none: opening")
      }
    }
  }

  @Test(arguments: [64 << 20, (64 << 20) + 1, 65 << 20, 90_868_376, 5 << 40])
  func piecesSpreadFromTheFirstByteToTheLast(length: Int) {
    let pieces = FileFingerprint.pieces(ofLength: length)
    #expect(pieces.first?.lowerBound == 0 && pieces.last?.upperBound == length)
    #expect(pieces.reduce(0) { $0 + $1.count } == min(length, 64 << 20))
    for (piece, next) in zip(pieces, pieces.dropFirst()) { #expect(piece.upperBound <= next.lowerBound) }
    let gaps = zip(pieces, pieces.dropFirst()).map { $1.lowerBound - $0.lowerBound }
    if let largest = gaps.max(), let least = gaps.min() { #expect(largest - least <= 1) }
  }
}
