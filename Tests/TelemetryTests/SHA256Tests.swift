import Foundation
import Telemetry
import TestSupport
import Testing

@Suite struct SHA256Tests {
  /// The examples of FIPS 180-4's companion documents and of RFC 6234.
  @Test(
    arguments: [
      ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
      ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
      (
        "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
      ),
      (
        "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
        "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"
      ),
    ])
  func theStandardsExamples(message: String, digest: String) {
    #expect(SHA256.hexDigest(of: Array(message.utf8)) == digest)
  }

  @Test func aMillionLetters() {
    let digest = SHA256.hexDigest(of: Array(repeating: UInt8(ascii: "a"), count: 1_000_000))
    #expect(digest == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")
  }

  @Test(arguments: [1, 3, 55, 56, 63, 64, 65, 127, 128, 200])
  func piecesGiveTheDigestOfTheWhole(pieceSize: Int) {
    let message = (0..<1000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    var hash = SHA256()
    for start in stride(from: 0, to: message.count, by: pieceSize) {
      message[start..<min(start + pieceSize, message.count)].withUnsafeBytes { hash.update($0) }
    }
    #expect(hash.hexDigest() == SHA256.hexDigest(of: message))
  }

  @Test func aDigestDoesNotEndTheMessage() {
    var hash = SHA256()
    Array("ab".utf8).withUnsafeBytes { hash.update($0) }
    _ = hash.digest()
    Array("c".utf8).withUnsafeBytes { hash.update($0) }
    #expect(hash.hexDigest() == SHA256.hexDigest(of: Array("abc".utf8)))
  }

  /// Lengths on both sides of every boundary of the padding, against the sum of their digests by another program.
  @Test func everyLengthUpToThreeBlocks() {
    var all = SHA256()
    for length in 0...192 {
      SHA256.hexDigest(of: Array(repeating: UInt8(ascii: "x"), count: length)).utf8.map { $0 }
        .withUnsafeBytes { all.update($0) }
    }
    #expect(all.hexDigest() == "60d791e3fe413c2c186fa59473d44ce5b19affb97254298b42d062c2a5ab891a")
  }

  @Test func aFileIsHashedPieceByPiece() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/file"
      let message = (0..<1_000_003).map { UInt8(truncatingIfNeeded: $0 &* 7) }
      try Data(message).write(to: URL(fileURLWithPath: path))
      #expect(try SHA256.hexDigest(ofFileAt: path) == SHA256.hexDigest(of: message))
      #expect { try SHA256.hexDigest(ofFileAt: path + "x") } throws: {
        "\($0)".contains("opening for reading")
      }
      #expect { try SHA256.hexDigest(ofFileAt: folder) } throws: { "\($0)".contains("reading") }
    }
  }
}
