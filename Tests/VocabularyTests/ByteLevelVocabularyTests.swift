import Foundation
import TestSupport
import Testing
import Vocabulary

@Suite struct ByteLevelVocabularyTests {
  private static let document = """
    {"added_tokens": [{"id": 0, "content": "<|end|>", "special": true}, {"id": 5, "content": "né", "special": false}],
     "decoder": {"type": "ByteLevel"},
     "model": {"type": "BPE", "vocab": {"a": 1, "Ġb": 2, "Ċ": 3, "Ã": 4, "©": 6, "Ń": 7}}}
    """

  private func vocabulary(_ document: String) throws -> ByteLevelVocabulary {
    try withTemporaryFolder { folder in
      try document.write(toFile: folder + "/tokenizer.json", atomically: true, encoding: .utf8)
      return try ByteLevelVocabulary(path: folder + "/tokenizer.json")
    }
  }

  @Test func bytesBecomeText() throws {
    let vocabulary = try vocabulary(Self.document)
    #expect(vocabulary.text(of: [1, 2, 3]) == "a b\n")
    #expect(vocabulary.text(of: [4, 6]) == "é")
    #expect(vocabulary.text(of: [7, 1]) == "\u{AD}a".replacing("\u{AD}", with: "\u{FFFD}"))
    #expect(vocabulary.text(of: [1, 0, 5, 99, -1, 1]) == "anéa")
    #expect(vocabulary.count == 8)
  }

  @Test func otherTokenisersAreRefused() throws {
    for (old, new, found) in [
      ("BPE", "WordPiece", "model WordPiece"), ("ByteLevel", "Metaspace", "decoder Metaspace"),
      ("\"a\": 1", "\"a\": -1", "found -1"), ("Ġb", "a b", "\"a b\""), ("\"model\"", "\"models\"", "found"),
    ] {
      #expect("\(old)") {
        _ = try vocabulary(Self.document.replacing(old, with: new))
      } throws: {
        "\($0)".contains(found) && "\($0)".contains("tokenizer.json: expected")
      }
    }
  }
}
