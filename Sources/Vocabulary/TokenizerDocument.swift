internal import Foundation

/// What of a `tokenizer.json` says which bytes a token stands for.
struct TokenizerDocument: Decodable {
  struct Model: Decodable {
    let type: String
    let vocab: [String: Int]
  }

  struct Decoder: Decodable {
    let type: String
  }

  struct AddedToken: Decodable {
    let id: Int
    let content: String
    let special: Bool
  }

  let model: Model
  let decoder: Decoder?
  let addedTokens: [AddedToken]

  enum CodingKeys: String, CodingKey {
    case model, decoder
    case addedTokens = "added_tokens"
  }

  init(path: String) throws(VocabularyError) {
    guard let text = FileManager.default.contents(atPath: path) else {
      throw VocabularyError(path: path, expected: "a tokenizer.json", found: "no file")
    }
    do { self = try JSONDecoder().decode(Self.self, from: text) } catch {
      throw VocabularyError(path: path, expected: "a tokenizer.json of Hugging Face", found: "\(error)")
    }
    guard model.type == "BPE", decoder?.type == "ByteLevel" else {
      throw VocabularyError(
        path: path, expected: "a byte-level BPE (model BPE, decoder ByteLevel)",
        found: "model \(model.type), decoder \(decoder?.type ?? "none")")
    }
    if let id = (model.vocab.values + addedTokens.map(\.id)).first(where: { $0 < 0 || $0 > 1 << 24 }) {
      throw VocabularyError(path: path, expected: "token ids from 0 to 2^24", found: "\(id)")
    }
  }
}
