internal import Foundation

/// The texts of a byte-level tokeniser's tokens, as a Hugging Face `tokenizer.json` has them: what a model has
/// generated becomes text again.
public struct ByteLevelVocabulary: Sendable {
  /// The bytes of every token; empty for special tokens, which are no text.
  private let bytes: [[UInt8]]

  /// Reads the file at `path`.
  ///
  /// - Throws: `VocabularyError` for a file that is missing or malformed, and for tokenisers of other kinds.
  public init(path: String) throws(VocabularyError) {
    let document = try TokenizerDocument(path: path)
    let tokens = document.model.vocab.merging(
      document.addedTokens.map { ($0.content, $0.id) }, uniquingKeysWith: { $1 })
    let special = Set(document.addedTokens.lazy.filter(\.special).map(\.id))
    let added = Set(document.addedTokens.map(\.id))
    var bytes = [[UInt8]](repeating: [], count: (tokens.values.max() ?? -1) + 1)
    for (text, id) in tokens where !special.contains(id) {
      guard let decoded = added.contains(id) ? Array(text.utf8) : Self.bytes(of: text) else {
        throw VocabularyError(path: path, expected: "tokens of a byte-level alphabet", found: "\"\(text)\"")
      }
      bytes[id] = decoded
    }
    self.bytes = bytes
  }

  public var count: Int { bytes.count }

  /// The text of some tokens; special tokens are left out, as are ids that no token has. Bytes that are no UTF-8
  /// become U+FFFD.
  public func text(of tokens: some Sequence<Int32>) -> String {
    String(decoding: tokens.flatMap { bytes.indices.contains(Int($0)) ? bytes[Int($0)] : [] }, as: UTF8.self)
  }

  /// A token's bytes from its letters: every byte has a visible letter (GPT-2's table).
  private static func bytes(of text: String) -> [UInt8]? {
    var result: [UInt8] = []
    for letter in text.unicodeScalars {
      guard let byte = byteOfLetter[letter] else { return nil }
      result.append(byte)
    }
    return result
  }

  /// Bytes that are visible letters of Latin-1 stand for themselves, the others for the letters from U+0100 on.
  private static let byteOfLetter: [Unicode.Scalar: UInt8] = {
    var letters: [Unicode.Scalar: UInt8] = [:]
    var next: UInt32 = 0x100
    for byte in UInt8.min...UInt8.max {
      let isVisible = (0x21...0x7E).contains(byte) || (0xA1...0xAC).contains(byte) || byte >= 0xAE
      letters[Unicode.Scalar(isVisible ? UInt32(byte) : next)!] = byte
      if !isVisible { next += 1 }
    }
    return letters
  }()
}
